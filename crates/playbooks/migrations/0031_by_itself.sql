-- 1: nobody started the run; the stop of automation holds it.
ALTER TABLE playbooks_runs ADD COLUMN by_itself BIGINT NOT NULL DEFAULT 0;
UPDATE playbooks_runs SET by_itself = 1 WHERE trigger_text LIKE 'starts by itself%';
