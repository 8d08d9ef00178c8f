// An evaluation as the node keeps it: two scenarios, three detectors, with goals met and missed.
const spread = (min, median = min, max = median) => ({ min, median, max });
const curve = [[0, 0], [0, 0.42], [0.004, 0.97], [0.03, 0.99], [1, 1]];
const course = Array.from({ length: 160 }, (_, n) => ({ start: 1_533_046_511 + n * 10, score: n > 90 && n < 130 ? 3 + ((n * 7) % 11) : 0.2 + ((n * 13) % 9) / 14, attack: n > 90 && n < 130 }));
const subject = (device, auc, tpr, fpr, extra = {}) => ({
  device, role: 'tram detector', positive: 39, negative: 121, unscored: 2, silent: 0, counts: { true_positives: 38, false_negatives: 1, false_positives: 1, true_negatives: 120 },
  auc, tpr, fpr, balanced_accuracy: spread((tpr.min + 1 - fpr.max) / 2, 0.99, 0.99), precision: spread(0.97), delay_windows: spread(0, 0, 1), delay_s: spread(9.1, 9.1, 19.1), missed: spread(0),
  false_alarms: spread(1, 1, 3), false_alarms_correlated: spread(1, 1, 2), benign_days: 0.9, roc: curve, course, ...extra,
});
const detector = (name, about, seeds, subjects) => ({ detector: name, about, seeds, training_s: spread(0.04, 0.05, 0.07), window_us: spread(1.1, 1.2, 1.6), subjects });
const scenario = (name, detectors) => ({
  name, kind: 'pcap', description: 'A tram stop detector, infected at noon.', source: 'a public capture', licence: 'CC BY 4.0', training: { from: [name], packets: 12_000, windows: [['detector 3', 352]], warnings: ['352 windows: short, 300 is the least'] },
  test: { packets: 23_623, labelled: true, attacks: [['command and control', 9021]], runs: 1, notes: [] }, detectors,
});
const report = {
  format: 'sereno-evaluation', version: 1, program: 'sereno 0.1.0', seeds: 10, alpha: 0.005, window_s: 10,
  rules: ['Thresholds come from training alone.', 'Detectors never see a label.'],
  scenarios: [
    scenario('stop-glories', [detector('ensemble', 'what ships', 10, [subject('detector 3', spread(0.998, 0.999, 1), spread(0.985, 0.99, 1), spread(0.001, 0.002, 0.004))]), detector('aarnn', 'the published network', 10, [subject('detector 3', spread(0.96, 0.99, 1), spread(0.12, 0.6, 0.99), spread(0.001, 0.002, 0.012))]), detector('knn', 'five nearest neighbours', 1, [subject('detector 3', spread(1), spread(1), spread(0.007))])]),
    scenario('slow-leak', [detector('ensemble', 'what ships', 10, [subject('meter 1', spread(0.97, 0.98, 0.99), spread(0.7, 0.8, 0.9), spread(0.004), { benign_days: 0.2 })]), { detector: 'ddrnn', about: 'a classifier', seeds: 10, failed: 'no labelled drill for this device', subjects: [] }]),
  ],
};
const id = '01935a1a-0000-7000-8000-000000000012';
export const summary = { id, name: 'Developer scenarios', program: report.program, by: 'Duty officer', recorded_at: new Date(Date.now() - 7_200_000).toISOString(), seeds: 10, alpha: 0.005, window_s: 10, scenarios: report.scenarios.map((one) => one.name), detectors: 4, shortfalls: 2, size_bytes: 41_000, digest: 'ab'.repeat(32) };
export const whole = { ...summary, short: ['stop-glories is fine', 'slow-leak, meter 1: TPR 0.70 at the minimum, 0.98 is the goal'].slice(1), report };
