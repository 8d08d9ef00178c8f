//! D3FEND: which countermeasure meets which technique of attack.
//!
//! The ontology says which digital artefacts a countermeasure works on and which a technique touches
//! (`owl:Restriction` in `rdfs:subClassOf`). They meet where the artefacts are the same or one is a
//! kind of the other; both inherit what their parents say. Only what is needed is read.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use oxrdf::{NamedOrBlankNode, Term};
use oxttl::TurtleParser;

/// Longest ontology, in bytes; most triples.
pub const MAX_BYTES: usize = 64 << 20;
/// Most triples.
pub const MAX_TRIPLES: usize = 2_000_000;
/// Most links that are made.
pub const MAX_LINKS: usize = 1_000_000;
/// Deepest chain of classes that is followed.
const MAX_CLASSES: usize = 10_000;

const D3F: &str = "http://d3fend.mitre.org/ontologies/d3fend.owl#";
const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const RDFS: &str = "http://www.w3.org/2000/01/rdf-schema#";
const OWL: &str = "http://www.w3.org/2002/07/owl#";
/// Properties under this one are what countermeasures do to artefacts.
const TACTICAL: &str = "d3fend-tactical-verb-property";

/// Why an ontology cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum D3fendError {
    /// Longer than [`MAX_BYTES`].
    #[error("the ontology has {0} bytes, more than {MAX_BYTES}")]
    TooLarge(usize),
    /// More than [`MAX_TRIPLES`], or more than [`MAX_LINKS`] links.
    #[error("the ontology holds more than {0} {1}; is it D3FEND?")]
    TooMany(usize, &'static str),
    /// No Turtle.
    #[error("not Turtle: {0}")]
    Syntax(String),
    /// No countermeasure inside.
    #[error("no countermeasure (d3fend-id) inside; is it D3FEND?")]
    Empty,
}

/// A countermeasure.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Countermeasure {
    /// Identifier, `D3-FA`.
    pub id: String,
    /// Name.
    pub name: String,
    /// What it is.
    pub definition: String,
    /// Tactics it serves, the nearest that it or a parent names: `Detect`, `Harden` …
    pub tactics: Vec<String>,
}

/// How well the artefacts meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// The same artefact.
    Same,
    /// The countermeasure works on a more general one: it covers the technique's.
    Covers,
    /// It works on a special kind of the technique's.
    Partly,
}

/// A countermeasure that meets a technique.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Link {
    /// Technique, `T1547.001`.
    pub technique: String,
    /// Countermeasure, `D3-FA`.
    pub countermeasure: String,
    /// How well.
    pub fit: Fit,
    /// What the countermeasure does, e.g. `analyzes`.
    pub does: String,
    /// To which artefact.
    pub artefact: String,
    /// What the technique does, e.g. `may-modify`.
    pub attack_does: String,
    /// To which artefact.
    pub attack_artefact: String,
}

/// What was read.
#[derive(Debug, Clone, Default)]
pub struct D3fend {
    /// Countermeasures by identifier.
    pub countermeasures: BTreeMap<String, Countermeasure>,
    /// Links, sorted; each technique and countermeasure once per fit and artefact.
    pub links: Vec<Link>,
    /// Terms of use as the ontology states them.
    pub terms: Vec<String>,
}

impl D3fend {
    /// Countermeasures for a technique, the best fit of each.
    #[must_use]
    pub fn against(&self, technique: &str) -> BTreeMap<&str, Fit> {
        let from = self.links.partition_point(|link| link.technique.as_str() < technique);
        let links = self.links[from..].iter().take_while(|link| link.technique == technique);
        let mut best = BTreeMap::new();
        for link in links {
            let fit = best.entry(link.countermeasure.as_str()).or_insert(link.fit);
            *fit = link.fit.min(*fit);
        }
        best
    }

    /// Reads the ontology in Turtle.
    ///
    /// # Errors
    /// [`D3fendError`].
    pub fn read(turtle: &[u8]) -> Result<Self, D3fendError> {
        if turtle.len() > MAX_BYTES {
            return Err(D3fendError::TooLarge(turtle.len()));
        }
        let graph = Graph::read(turtle)?;
        let mut read = Self { terms: graph.terms.clone(), ..Self::default() };
        for (class, id) in &graph.d3fend_ids {
            read.countermeasures.insert(id.clone(), graph.countermeasure(class, id));
        }
        if read.countermeasures.is_empty() {
            return Err(D3fendError::Empty);
        }
        read.links = graph.links()?;
        Ok(read)
    }
}

/// What is needed of the graph; names without the namespace.
#[derive(Default)]
struct Graph {
    parents: HashMap<String, Vec<String>>,
    property_parents: HashMap<String, Vec<String>>,
    /// Class → blank nodes of restrictions.
    restrictions: HashMap<String, Vec<String>>,
    on_property: HashMap<String, String>,
    some_values: HashMap<String, String>,
    labels: HashMap<String, String>,
    definitions: HashMap<String, String>,
    d3fend_ids: BTreeMap<String, String>,
    attack_ids: BTreeMap<String, String>,
    terms: Vec<String>,
}

impl Graph {
    fn read(turtle: &[u8]) -> Result<Self, D3fendError> {
        let mut graph = Self::default();
        for (count, triple) in TurtleParser::new().for_slice(turtle).enumerate() {
            if count >= MAX_TRIPLES {
                return Err(D3fendError::TooMany(MAX_TRIPLES, "triples"));
            }
            let triple = triple.map_err(|error| D3fendError::Syntax(error.to_string()))?;
            graph.take(&triple.subject, triple.predicate.as_str(), triple.object);
        }
        Ok(graph)
    }

    fn take(&mut self, subject: &NamedOrBlankNode, predicate: &str, object: Term) {
        let subject = match subject {
            NamedOrBlankNode::NamedNode(node) => match node.as_str().strip_prefix(D3F) {
                Some(name) => name.to_owned(),
                None => {
                    self.term(predicate, &object);
                    return;
                }
            },
            NamedOrBlankNode::BlankNode(node) => format!("_:{}", node.as_str()),
        };
        let named = |object: &Term| match object {
            Term::NamedNode(node) => node.as_str().strip_prefix(D3F).map(str::to_owned),
            _ => None,
        };
        let short = [(D3F, "d3f:"), (RDFS, "rdfs:"), (OWL, "owl:"), (RDF, "rdf:")]
            .iter()
            .find_map(|(long, short)| Some(format!("{short}{}", predicate.strip_prefix(long)?)));
        match (short.as_deref(), object) {
            (Some("rdfs:subClassOf"), Term::BlankNode(node)) => {
                let node = format!("_:{}", node.as_str());
                self.restrictions.entry(subject).or_default().push(node);
            }
            (Some("rdfs:subClassOf"), object) => {
                if let Some(parent) = named(&object) {
                    self.parents.entry(subject).or_default().push(parent);
                }
            }
            (Some("rdfs:subPropertyOf"), object) => {
                if let Some(parent) = named(&object) {
                    self.property_parents.entry(subject).or_default().push(parent);
                }
            }
            (Some("owl:onProperty"), object) => {
                self.on_property.extend(named(&object).map(|name| (subject, name)));
            }
            (Some("owl:someValuesFrom"), object) => {
                self.some_values.extend(named(&object).map(|name| (subject, name)));
            }
            (Some("rdfs:label"), Term::Literal(text)) => {
                self.labels.insert(subject, text.value().to_owned());
            }
            (Some("d3f:definition"), Term::Literal(text)) => {
                self.definitions.insert(subject, text.value().to_owned());
            }
            (Some("d3f:d3fend-id"), Term::Literal(text)) => {
                self.d3fend_ids.insert(subject, text.value().to_owned());
            }
            (Some("d3f:attack-id"), Term::Literal(text)) => {
                self.attack_ids.insert(subject, text.value().to_owned());
            }
            _ => {}
        }
    }

    /// The ontology speaks of itself under its address without `#`.
    fn term(&mut self, predicate: &str, object: &Term) {
        if let Term::Literal(text) = object
            && (predicate.ends_with("/license") || predicate.ends_with("#comment"))
        {
            self.terms.push(text.value().to_owned());
        }
    }

    /// A name and everything above it, nearest first; cycles end.
    fn above<'a>(parents: &'a HashMap<String, Vec<String>>, name: &'a str) -> Vec<&'a str> {
        let mut found = vec![name];
        let mut seen: BTreeSet<&str> = BTreeSet::from([name]);
        let mut at = 0;
        while at < found.len() && found.len() < MAX_CLASSES {
            for parent in parents.get(found[at]).into_iter().flatten() {
                if seen.insert(parent) {
                    found.push(parent);
                }
            }
            at += 1;
        }
        found
    }

    /// What a class does to artefacts, parents included: property, artefact.
    fn does<'a>(&'a self, class: &'a str) -> BTreeSet<(&'a str, &'a str)> {
        Self::above(&self.parents, class)
            .into_iter()
            .filter_map(|class| self.restrictions.get(class))
            .flatten()
            .filter_map(|node| {
                Some((self.on_property.get(node)?.as_str(), self.some_values.get(node)?.as_str()))
            })
            .collect()
    }

    fn is_tactical(&self, property: &str) -> bool {
        Self::above(&self.property_parents, property).contains(&TACTICAL)
    }

    fn countermeasure(&self, class: &str, id: &str) -> Countermeasure {
        let tactics = self.does(class).into_iter().filter(|(property, _)| *property == "enables");
        Countermeasure {
            id: id.to_owned(),
            name: self.labels.get(class).cloned().unwrap_or_else(|| class.to_owned()),
            definition: self.definitions.get(class).cloned().unwrap_or_default(),
            tactics: tactics.map(|(_, tactic)| tactic.to_owned()).collect(),
        }
    }

    fn links(&self) -> Result<Vec<Link>, D3fendError> {
        // Artefact → what countermeasures do to it; the same by every artefact above it.
        let mut exact: HashMap<&str, Vec<(&str, &str)>> = HashMap::new();
        let mut special: HashMap<&str, Vec<(&str, &str, &str)>> = HashMap::new();
        for (class, id) in &self.d3fend_ids {
            for (does, artefact) in self.does(class) {
                if does == "enables" || !self.is_tactical(does) {
                    continue;
                }
                exact.entry(artefact).or_default().push((id, does));
                for general in Self::above(&self.parents, artefact).into_iter().skip(1) {
                    special.entry(general).or_default().push((id, does, artefact));
                }
            }
        }
        let mut links = BTreeSet::new();
        for (class, technique) in &self.attack_ids {
            for (attack_does, attack_artefact) in self.does(class) {
                let mut link = |fit, id: &str, does: &str, artefact: &str| {
                    links.insert(Link {
                        technique: technique.clone(),
                        countermeasure: id.to_owned(),
                        fit,
                        does: does.to_owned(),
                        artefact: artefact.to_owned(),
                        attack_does: attack_does.to_owned(),
                        attack_artefact: attack_artefact.to_owned(),
                    })
                };
                for (step, artefact) in
                    Self::above(&self.parents, attack_artefact).into_iter().enumerate()
                {
                    let fit = if step == 0 { Fit::Same } else { Fit::Covers };
                    for (id, does) in exact.get(artefact).into_iter().flatten() {
                        link(fit, id, does, artefact);
                    }
                }
                for (id, does, artefact) in special.get(attack_artefact).into_iter().flatten() {
                    link(Fit::Partly, id, does, artefact);
                }
                if links.len() > MAX_LINKS {
                    return Err(D3fendError::TooMany(MAX_LINKS, "links"));
                }
            }
        }
        Ok(links.into_iter().collect())
    }
}
