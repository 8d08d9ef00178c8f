//! The report as a table: plain for a terminal, Markdown for documents.

use std::fmt::Write as _;

use super::figures::Spread;
use super::goals::shortfalls;
use super::published;
use super::report::{DetectorReport, Report, ScenarioReport, SubjectReport};

/// Headings of the columns.
pub(super) const COLUMNS: [&str; 12] = [
    "detector",
    "AUC",
    "TPR",
    "FPR",
    "balanced",
    "precision",
    "delay",
    "delay s",
    "missed",
    "false alarms",
    "a day",
    "µs/window",
];

/// Cells of one detector on one subject, as [`COLUMNS`] names them.
pub(super) fn cells(detector: &DetectorReport, subject: &SubjectReport) -> [String; 12] {
    let rate = |spread: Option<Spread>| spread_text(spread, 4);
    [
        detector.detector.clone(),
        rate(subject.auc),
        rate(subject.tpr),
        rate(subject.fpr),
        rate(subject.balanced_accuracy),
        rate(subject.precision),
        spread_text(subject.delay_windows, 0),
        spread_text(subject.delay_s, 1),
        spread_text(subject.missed, 0),
        both(subject.false_alarms, subject.false_alarms_correlated, 0),
        both(subject.per_day(), subject.correlated_per_day(), 2),
        detector.window_us.map_or_else(|| "–".to_owned(), |time| number(time.min, 2)),
    ]
}

/// `raw (correlated)`.
fn both(raw: Option<Spread>, correlated: Option<Spread>, decimals: usize) -> String {
    match correlated {
        Some(_) => {
            format!("{} ({})", spread_text(raw, decimals), spread_text(correlated, decimals))
        }
        None => spread_text(raw, decimals),
    }
}

/// `min/median/max`, or one number where the seeds agree.
pub(super) fn spread_text(spread: Option<Spread>, decimals: usize) -> String {
    let Some(spread) = spread else { return "–".to_owned() };
    let [min, median, max] =
        [spread.min, spread.median, spread.max].map(|value| number(value, decimals));
    if min == max { min } else { format!("{min}/{median}/{max}") }
}

/// At most so many decimals, none that say nothing.
pub(super) fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What a subject is and what it holds.
pub(super) fn subject_title(subject: &SubjectReport) -> String {
    let name = subject.device.as_deref().unwrap_or("all protected devices");
    let role = if subject.role.is_empty() { String::new() } else { format!(" ({})", subject.role) };
    let unscored = if subject.unscored == 0 {
        String::new()
    } else {
        format!(", {} unscored", subject.unscored)
    };
    format!(
        "{name}{role}: {} windows with attack, {} without{unscored}; {} days without attack",
        subject.positive,
        subject.negative,
        number(subject.benign_days, 2),
    )
}

/// What a scenario was trained on and what it holds.
pub(super) fn scenario_facts(scenario: &ScenarioReport) -> Vec<String> {
    let mut facts = Vec::new();
    if !scenario.training.from.is_empty() {
        let windows: Vec<String> = scenario
            .training
            .windows
            .iter()
            .map(|(device, windows)| format!("{device}: {windows}"))
            .collect();
        let windows = if windows.is_empty() {
            String::new()
        } else {
            format!("; windows with traffic: {}", windows.join(", "))
        };
        facts.push(format!(
            "Trained on {} ({} packets or rows{windows}).",
            scenario.training.from.join(" and "),
            scenario.training.packets,
        ));
    }
    if scenario.test.packets > 0 {
        let attacks: Vec<String> = scenario
            .test
            .attacks
            .iter()
            .map(|(name, packets)| format!("{name} {packets}"))
            .collect();
        let runs = match scenario.test.runs {
            0 => String::new(),
            runs => format!(" in {runs} runs"),
        };
        facts.push(format!(
            "Tested on {} packets or rows{runs}; malicious: {}.",
            scenario.test.packets,
            if attacks.is_empty() { "none".to_owned() } else { attacks.join(", ") }
        ));
    }
    facts.extend(scenario.training.warnings.iter().map(|text| format!("Training: {text}.")));
    facts.extend(scenario.test.notes.iter().map(|text| format!("Note: {text}.")));
    facts
}

/// Training times and failures of the detectors of a scenario.
pub(super) fn detector_facts(scenario: &ScenarioReport) -> (Vec<String>, Vec<String>) {
    let times = scenario
        .detectors
        .iter()
        .filter_map(|detector| {
            let time = detector.training_s?;
            Some(format!("{} {} s", detector.detector, number(time.median, 3)))
        })
        .collect();
    let failures = scenario
        .detectors
        .iter()
        .filter_map(|detector| {
            Some(format!("{}: {}", detector.detector, detector.failed.as_ref()?))
        })
        .collect();
    (times, failures)
}

/// The subjects of a scenario, each with a row of cells per detector.
pub(super) fn tables(scenario: &ScenarioReport) -> Vec<(&SubjectReport, Vec<[String; 12]>)> {
    let count = scenario.detectors.iter().map(|one| one.subjects.len()).max().unwrap_or(0);
    (0..count)
        .filter_map(|place| {
            let with: Vec<(&DetectorReport, &SubjectReport)> = scenario
                .detectors
                .iter()
                .filter_map(|detector| Some((detector, detector.subjects.get(place)?)))
                .collect();
            let (_, first) = with.first()?;
            let rows = with.iter().map(|(detector, subject)| cells(detector, subject)).collect();
            Some((*first, rows))
        })
        .collect()
}

/// For a terminal.
#[must_use]
pub fn to_table(report: &Report) -> String {
    let mut text = String::new();
    for scenario in &report.scenarios {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", scenario.name);
        if let Some(why) = &scenario.failed {
            let _ = writeln!(text, "  not evaluated: {why}");
        }
        for fact in scenario_facts(scenario) {
            let _ = writeln!(text, "  {fact}");
        }
        for (subject, rows) in tables(scenario) {
            let _ = writeln!(text, "\n  {}", subject_title(subject));
            aligned(&mut text, COLUMNS, &rows);
        }
        let rows = published::rows(scenario);
        if !rows.is_empty() {
            let _ = writeln!(text, "\n  {}", published::TITLE);
            aligned(&mut text, published::COLUMNS, &rows);
        }
        let (times, failures) = detector_facts(scenario);
        if !times.is_empty() {
            let _ = writeln!(text, "\n  Training: {}.", times.join(", "));
        }
        for failure in failures {
            let _ = writeln!(text, "  Not trained or not scored – {failure}");
        }
        text.push('\n');
    }
    let short = shortfalls(report);
    if !short.is_empty() {
        let _ = writeln!(text, "Where the shipped detector falls short:");
    }
    for line in short {
        let _ = writeln!(text, "  {line}");
    }
    text
}

fn aligned<const N: usize>(text: &mut String, columns: [&str; N], rows: &[[String; N]]) {
    let mut widths = columns.map(|column| column.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let headings = columns.map(str::to_owned);
    for row in std::iter::once(&headings).chain(rows) {
        let mut line = String::from(" ");
        for (place, (cell, width)) in row.iter().zip(widths).enumerate() {
            let gap = " ".repeat(width - cell.chars().count());
            let (before, after) = if place == 0 { ("", gap.as_str()) } else { (gap.as_str(), "") };
            let _ = write!(line, " {before}{cell}{after} ");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

/// For a document.
#[must_use]
pub fn to_markdown(report: &Report) -> String {
    let mut text = format!(
        "# Evaluation\n\nMade by {}; {} seeds for detectors that draw; false-alarm budget {} of the windows.\nWhere seeds differ: minimum/median/maximum. False alarms: windows (alarms after correlation).\n\n",
        report.program,
        report.seeds,
        number(report.alpha, 6),
    );
    for rule in &report.rules {
        let _ = writeln!(text, "- {rule}");
    }
    let _ = writeln!(text, "\n## Where the shipped detector falls short\n");
    let short = shortfalls(report);
    if short.is_empty() {
        let _ = writeln!(text, "Nowhere in these scenarios.");
    }
    for line in short {
        let _ = writeln!(text, "- {}", escaped(&line));
    }
    for scenario in &report.scenarios {
        let _ = writeln!(text, "\n## {}\n", scenario.name);
        if !scenario.description.is_empty() {
            let _ = writeln!(text, "{}\n", escaped(&scenario.description));
        }
        if let Some(why) = &scenario.failed {
            let _ = writeln!(text, "**Not evaluated:** {}\n", escaped(why));
        }
        for fact in scenario_facts(scenario) {
            let _ = writeln!(text, "- {}", escaped(&fact));
        }
        for (subject, rows) in tables(scenario) {
            marked_down(&mut text, &subject_title(subject), COLUMNS, rows);
        }
        let rows = published::rows(scenario);
        if !rows.is_empty() {
            marked_down(&mut text, published::TITLE, published::COLUMNS, rows);
        }
        let (times, failures) = detector_facts(scenario);
        if !times.is_empty() {
            let _ = writeln!(text, "\nTraining, all devices: {}.", times.join(", "));
        }
        for failure in failures {
            let _ = writeln!(text, "\nNot trained or not scored – {}", escaped(&failure));
        }
        if !scenario.source.is_empty() {
            let _ = writeln!(
                text,
                "\nData: {}; {}.",
                escaped(&scenario.source),
                escaped(&scenario.licence)
            );
        }
    }
    text
}

fn marked_down<const N: usize>(
    text: &mut String,
    title: &str,
    columns: [&str; N],
    rows: Vec<[String; N]>,
) {
    let _ = writeln!(text, "\n**{}**\n", escaped(title));
    let _ = writeln!(text, "| {} |", columns.join(" | "));
    let _ = writeln!(text, "|---|{}", "--:|".repeat(N - 1));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.map(|cell| escaped(&cell)).join(" | "));
    }
}

/// Text of a file inside a document: no cell ends early, no markup begins.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '|' | '*' | '_' | '`' | '<' | '>' | '[' | ']' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            '\n' | '\r' => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn numbers_say_no_more_than_they_know() {
        assert_eq!(number(1.0, 4), "1");
        assert_eq!(number(0.99996, 4), "1");
        assert_eq!(number(0.5, 4), "0.5");
        assert_eq!(number(100.0, 0), "100");
        let spread = Spread { min: 0.1, median: 0.2, max: 0.3 };
        assert_eq!(spread_text(Some(spread), 4), "0.1/0.2/0.3");
        assert_eq!(spread_text(None, 4), "–");
    }
}
