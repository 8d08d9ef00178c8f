//! Places inside an object and the collector of problems. A place is a chain on the stack: its
//! JSON Pointer is written only when there is a problem to report.

use serde_json::{Map, Value};

use crate::json::MAX_POINTER_BYTES;

use super::{MAX_PROBLEMS, Problem, Report, Severity};

/// One step towards a value.
#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Root,
    Name(&'a str),
    Index(usize),
}

/// A place inside an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

impl<'a> Path<'a> {
    /// The object itself.
    pub(crate) const ROOT: Path<'static> = Path { parent: None, step: Step::Root };

    /// The property `name` of this place.
    pub(crate) const fn name(&'a self, name: &'a str) -> Path<'a> {
        Path { parent: Some(self), step: Step::Name(name) }
    }

    /// The element `index` of this place.
    pub(crate) const fn index(&'a self, index: usize) -> Path<'a> {
        Path { parent: Some(self), step: Step::Index(index) }
    }

    /// JSON Pointer (RFC 6901), cut to [`MAX_POINTER_BYTES`]: a report carries a thousand of them, and the
    /// names in them are the sender's.
    pub(crate) fn pointer(&self) -> String {
        let mut steps = Vec::new();
        let mut at = Some(self);
        while let Some(path) = at {
            steps.push(path.step);
            at = path.parent;
        }
        let mut pointer = String::new();
        for step in steps.iter().rev() {
            let step = match step {
                Step::Root => continue,
                Step::Name(name) => clip(name).replace('~', "~0").replace('/', "~1"),
                Step::Index(index) => index.to_string(),
            };
            if pointer.len() + step.len() > MAX_POINTER_BYTES {
                pointer.push_str("/…");
                break;
            }
            pointer.push('/');
            pointer.push_str(&step);
        }
        pointer
    }
}

/// Collects the problems of one object.
pub(crate) struct Sink<'a> {
    pub(crate) report: &'a mut Report,
    /// Id of the object as written.
    pub(crate) object: &'a str,
    /// Place of the object in its bundle; names an object without id.
    pub(crate) index: Option<u64>,
    /// Whether the object says that its values were defanged: their form is then not judged.
    pub(crate) defanged: bool,
    /// The deprecated container of `observed-data`: references are keys of it.
    pub(crate) container: Option<&'a Map<String, Value>>,
}

/// Longest id shown in a problem, in characters.
const MAX_ID_CHARS: usize = 300;

impl Sink<'_> {
    fn put(&mut self, severity: Severity, at: &Path<'_>, clause: &'static str, message: String) {
        if severity == Severity::Error {
            self.report.errors += 1;
        }
        let problems = &mut self.report.problems;
        let full = problems.len() >= MAX_PROBLEMS;
        if full {
            self.report.left_out += 1;
        }
        // A full report still shows errors: they take the places of warnings from the end.
        let place = match (full, severity) {
            (false, _) => None,
            (true, Severity::Warning) => return,
            (true, Severity::Error) => {
                match problems.iter().rposition(|p| p.severity == Severity::Warning) {
                    Some(at) => Some(at),
                    None => return,
                }
            }
        };
        let object = match self.index {
            Some(index) if self.object.is_empty() => format!("/objects/{index}"),
            _ => self.object.chars().take(MAX_ID_CHARS).collect(),
        };
        let problem = Problem { severity, object, property: at.pointer(), clause, message };
        match place {
            Some(at) => problems[at] = problem,
            None => problems.push(problem),
        }
    }

    /// A broken MUST.
    pub(crate) fn error(
        &mut self,
        at: &Path<'_>,
        clause: &'static str,
        message: impl Into<String>,
    ) {
        self.put(Severity::Error, at, clause, message.into());
    }

    /// A broken SHOULD.
    pub(crate) fn warn(&mut self, at: &Path<'_>, clause: &'static str, message: impl Into<String>) {
        self.put(Severity::Warning, at, clause, message.into());
    }

    /// A broken MUST at a property of the object.
    pub(crate) fn error_at(&mut self, name: &str, clause: &'static str, what: impl Into<String>) {
        self.error(&Path::ROOT.name(name), clause, what);
    }

    /// A broken SHOULD at a property of the object.
    pub(crate) fn warn_at(&mut self, name: &str, clause: &'static str, what: impl Into<String>) {
        self.warn(&Path::ROOT.name(name), clause, what);
    }
}

/// Longest name or value shown in a problem, in characters.
const MAX_SHOWN_CHARS: usize = 80;

/// A text as a message shows it: short, and marked where it was cut.
pub(crate) fn clip(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
