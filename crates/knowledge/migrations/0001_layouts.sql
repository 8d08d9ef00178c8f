-- How people laid out graphs, each their own. `positions` is JSON: object id to [x, y].
CREATE TABLE knowledge_layouts (
  person TEXT NOT NULL,
  name TEXT NOT NULL,
  positions TEXT NOT NULL,
  recorded_at BIGINT NOT NULL,
  PRIMARY KEY (person, name)
);
