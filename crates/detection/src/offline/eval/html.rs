//! The report as one page: nothing from outside, no script; curves are drawn as SVG and stand as
//! tables beside.

use std::fmt::Write as _;

use super::goals::shortfalls;
use super::measure::CoursePoint;
use super::report::{DetectorReport, Report, ScenarioReport, SubjectReport};
use super::table::{COLUMNS, detector_facts, number, scenario_facts, subject_title, tables};

/// Rows of a table twin of a course of scores.
const TWIN_ROWS: usize = 60;
const STYLE: &str = include_str!("report.css");

/// One self-contained page.
#[must_use]
pub fn to_html(report: &Report) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>Evaluation of detectors</title><style>{STYLE}</style></head><body>\
         <a class=\"skip\" href=\"#main\">Skip to the results</a>\
         <header><h1>Evaluation of detectors</h1><p>Made by {}; {} seeds for detectors that draw; \
         false-alarm budget {} of the windows. Where seeds differ: minimum/median/maximum.</p></header>",
        text(&report.program),
        report.seeds,
        number(report.alpha, 6),
    );
    page.push_str("<nav aria-label=\"Scenarios\"><ul>");
    for (place, scenario) in report.scenarios.iter().enumerate() {
        let _ = write!(page, "<li><a href=\"#s{place}\">{}</a></li>", text(&scenario.name));
    }
    page.push_str("</ul></nav><main id=\"main\"><section><h2>Rules</h2><ul>");
    for rule in &report.rules {
        let _ = write!(page, "<li>{}</li>", text(rule));
    }
    page.push_str("</ul></section><section><h2>Where the shipped detector falls short</h2><ul>");
    let short = shortfalls(report);
    if short.is_empty() {
        page.push_str("<li>Nowhere in these scenarios.</li>");
    }
    for line in short {
        let _ = write!(page, "<li>{}</li>", text(&line));
    }
    page.push_str("</ul></section>");
    for (place, scenario) in report.scenarios.iter().enumerate() {
        section(&mut page, place, scenario);
    }
    page.push_str("</main></body></html>\n");
    page
}

fn section(page: &mut String, place: usize, scenario: &ScenarioReport) {
    let _ = write!(
        page,
        "<section aria-labelledby=\"s{place}\"><h2 id=\"s{place}\">{}</h2><p>{}</p>",
        text(&scenario.name),
        text(&scenario.description),
    );
    if let Some(why) = &scenario.failed {
        let _ =
            write!(page, "<p class=\"failed\"><strong>Not evaluated:</strong> {}</p>", text(why));
    }
    page.push_str("<ul>");
    for fact in scenario_facts(scenario) {
        let _ = write!(page, "<li>{}</li>", text(&fact));
    }
    page.push_str("</ul>");
    for (number, (subject, rows)) in tables(scenario).into_iter().enumerate() {
        figures(page, &subject_title(subject), &rows);
        plots(page, scenario, number);
    }
    let (times, failures) = detector_facts(scenario);
    if !times.is_empty() {
        let _ = write!(page, "<p>Training, all devices: {}.</p>", text(&times.join(", ")));
    }
    for failure in failures {
        let _ = write!(page, "<p>Not trained or not scored – {}</p>", text(&failure));
    }
    if !scenario.source.is_empty() {
        let _ = write!(
            page,
            "<p class=\"small\">Data: {}; {}.</p>",
            text(&scenario.source),
            text(&scenario.licence)
        );
    }
    page.push_str("</section>");
}

fn figures(page: &mut String, title: &str, rows: &[[String; 12]]) {
    let _ = write!(
        page,
        "<h3>{0}</h3><div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Figures: {0}\">\
         <table><thead><tr>",
        text(title)
    );
    for column in COLUMNS {
        let _ = write!(page, "<th scope=\"col\">{}</th>", text(column));
    }
    page.push_str("</tr></thead><tbody>");
    for row in rows {
        page.push_str("<tr>");
        for (place, cell) in row.iter().enumerate() {
            let _ = if place == 0 {
                write!(page, "<th scope=\"row\">{}</th>", text(cell))
            } else {
                write!(page, "<td>{}</td>", text(cell))
            };
        }
        page.push_str("</tr>");
    }
    page.push_str("</tbody></table></div>");
}

/// ROC curves and courses of one subject, one pair per detector. Of several devices each has the
/// curves of the first detector only: those of all together stand above.
fn plots(page: &mut String, scenario: &ScenarioReport, subject: usize) {
    let with: Vec<(&DetectorReport, &SubjectReport)> = scenario
        .detectors
        .iter()
        .filter_map(|detector| Some((detector, detector.subjects.get(subject)?)))
        .filter(|(_, subject)| !subject.roc.is_empty() || !subject.course.is_empty())
        .take(if subject == 0 { usize::MAX } else { 1 })
        .collect();
    if with.is_empty() {
        return;
    }
    page.push_str("<details><summary>Curves: ROC and scores over time</summary>");
    for (detector, subject) in with {
        let _ = write!(page, "<div class=\"pair\"><h4>{}</h4>", text(&detector.detector));
        if !subject.roc.is_empty() {
            roc(page, detector, subject);
        }
        if !subject.course.is_empty() {
            // Runs do not follow each other in time: their windows are shown one after another.
            course(page, detector, subject, scenario.test.runs > 0);
        }
        page.push_str("</div>");
    }
    page.push_str("</details>");
}

fn roc(page: &mut String, detector: &DetectorReport, subject: &SubjectReport) {
    const SIDE: f64 = 200.0;
    let area = subject.auc.map_or_else(String::new, |auc| number(auc.min, 4));
    let mut points = String::new();
    for [x, y] in &subject.roc {
        let _ = write!(points, "{:.1},{:.1} ", 30.0 + x * SIDE, 10.0 + (1.0 - y) * SIDE);
    }
    let _ = write!(
        page,
        "<figure><svg viewBox=\"0 0 240 240\" width=\"240\" height=\"240\" role=\"img\" \
         aria-label=\"ROC curve of {name}, area {area}\">\
         <rect class=\"frame\" x=\"30\" y=\"10\" width=\"200\" height=\"200\"/>\
         <line class=\"guide\" x1=\"30\" y1=\"210\" x2=\"230\" y2=\"10\"/>\
         <polyline class=\"curve\" points=\"{points}\"/>\
         <text x=\"130\" y=\"232\" text-anchor=\"middle\">false positive rate</text>\
         <text transform=\"translate(14 110) rotate(-90)\" text-anchor=\"middle\">true positive rate</text>\
         </svg><figcaption>ROC, area {area}</figcaption></figure>",
        name = text(&detector.detector),
    );
    page.push_str(
        "<details class=\"twin\"><summary>as a table</summary><table><thead><tr>\
         <th scope=\"col\">false positive rate</th><th scope=\"col\">true positive rate</th></tr></thead><tbody>",
    );
    for [x, y] in &subject.roc {
        let _ = write!(page, "<tr><td>{}</td><td>{}</td></tr>", number(*x, 4), number(*y, 4));
    }
    page.push_str("</tbody></table></details>");
}

/// Scores from 0 to this many thresholds are drawn; the scale is logarithmic above.
fn height(score: f64) -> f64 {
    // 0 at the foot, 1 (the threshold) at a third, 1000 at the top.
    let share = if score <= 1.0 { score / 3.0 } else { (1.0 + 2.0 * score.log10() / 3.0) / 3.0 };
    190.0 - 180.0 * share.clamp(0.0, 1.0)
}

fn course(page: &mut String, detector: &DetectorReport, subject: &SubjectReport, in_order: bool) {
    let points = &subject.course;
    let (first, last) = (
        points.iter().map(|point| point.start).fold(f64::INFINITY, f64::min),
        points.iter().map(|point| point.start).fold(f64::NEG_INFINITY, f64::max),
    );
    let across = |place: usize, point: &CoursePoint| {
        let share = if in_order {
            place as f64 / (points.len().max(2) - 1) as f64
        } else {
            (point.start - first) / (last - first).max(1.0)
        };
        40.0 + 560.0 * share
    };
    let _ = write!(
        page,
        "<figure><svg viewBox=\"0 0 610 230\" width=\"610\" height=\"230\" role=\"img\" \
         aria-label=\"Scores of {} over time; the threshold is 1\">\
         <rect class=\"frame\" x=\"40\" y=\"10\" width=\"560\" height=\"180\"/>",
        text(&detector.detector)
    );
    for (from, to) in intervals(points) {
        let (left, right) = (across(from, &points[from]), across(to, &points[to]));
        let _ = write!(
            page,
            "<rect class=\"attack\" x=\"{:.1}\" y=\"10\" width=\"{:.1}\" height=\"180\"><title>attack</title></rect>",
            left - 1.0,
            right - left + 2.0
        );
    }
    for (place, point) in points.iter().enumerate() {
        let class = if point.attack { "hit" } else { "quiet" };
        let (x, y) = (across(place, point), height(point.score));
        // Attack windows differ by shape too, not by colour alone.
        let _ = if point.attack {
            write!(page, "<path class=\"{class}\" d=\"M{:.1} {:.1}l3 5h-6z\"/>", x, y - 3.0)
        } else {
            write!(page, "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2\"/>")
        };
    }
    for (score, label) in [(0.0, "0"), (1.0, "1"), (10.0, "10"), (100.0, "100"), (1_000.0, "1000")]
    {
        let y = height(score);
        let class = if score == 1.0 { "threshold" } else { "guide" };
        let _ = write!(
            page,
            "<line class=\"{class}\" x1=\"40\" y1=\"{y:.1}\" x2=\"600\" y2=\"{y:.1}\"/>\
             <text x=\"36\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            y + 4.0
        );
    }
    let axis = if in_order {
        "windows, one run after another".to_owned()
    } else {
        format!("{} hours", number((last - first) / 3_600.0, 1))
    };
    let _ = write!(
        page,
        "<text x=\"320\" y=\"212\" text-anchor=\"middle\">{axis}</text></svg>\
         <figcaption>Scores over time: ▲ window with attack, ● without; shaded: attack; the line at 1 is \
         the threshold</figcaption></figure>"
    );
    twin(page, points);
}

fn twin(page: &mut String, points: &[CoursePoint]) {
    page.push_str(
        "<details class=\"twin\"><summary>as a table (highest scores)</summary><table><thead><tr>\
         <th scope=\"col\">start (Unix s)</th><th scope=\"col\">score</th><th scope=\"col\">attack</th>\
         </tr></thead><tbody>",
    );
    let mut sorted: Vec<&CoursePoint> = points.iter().collect();
    sorted.sort_by(|a, b| b.score.total_cmp(&a.score));
    sorted.truncate(TWIN_ROWS);
    sorted.sort_by(|a, b| a.start.total_cmp(&b.start));
    for point in sorted {
        let _ = write!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            number(point.start, 0),
            number(point.score, 2),
            if point.attack { "yes" } else { "no" }
        );
    }
    page.push_str("</tbody></table></details>");
}

/// Places of the first and last point of each stretch that holds attack windows; benign points
/// between two attack points that follow each other closely do not end it.
fn intervals(points: &[CoursePoint]) -> Vec<(usize, usize)> {
    const BRIDGED: usize = 3;
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (place, _) in points.iter().enumerate().filter(|(_, point)| point.attack) {
        match found.last_mut() {
            Some((_, last)) if place - *last <= BRIDGED => *last = place,
            _ => found.push((place, place)),
        }
    }
    found
}

/// Text of a file inside a page.
fn text(raw: &str) -> String {
    let mut safe = String::with_capacity(raw.len());
    for letter in raw.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn text_of_files_stays_text() {
        assert_eq!(text("<script>'\"&"), "&lt;script&gt;&#39;&quot;&amp;");
    }

    #[test]
    fn heights_rise_with_the_score_and_stay_inside() {
        let heights: Vec<f64> =
            [0.0, 0.5, 1.0, 2.0, 10.0, 1_000.0, 1e9].into_iter().map(height).collect();
        assert!(heights.windows(2).all(|pair| pair[0] >= pair[1]), "{heights:?}");
        assert!(heights.iter().all(|height| (10.0..=190.0).contains(height)));
    }

    #[test]
    fn stretches_of_attack_windows_are_joined() {
        let points: Vec<CoursePoint> = "..11.1.....1"
            .chars()
            .enumerate()
            .map(|(place, letter)| CoursePoint {
                start: place as f64,
                score: 0.0,
                attack: letter == '1',
            })
            .collect();
        assert_eq!(intervals(&points), [(2, 5), (11, 11)]);
    }
}
