//! The templates that exporters sent: bounded for each and together.

use std::collections::HashMap;
use std::net::IpAddr;

use super::template::{Template, TemplateKey};

/// Templates remembered; beyond, new ones are refused and counted.
pub const MAX_TEMPLATES: usize = 4_096;
/// Of these, from one exporter: a single one must not take the place of all others.
pub const MAX_TEMPLATES_OF_EXPORTER: usize = 512;
/// Refusals between two rounds in which templates that never described a record give way.
const REFUSED_BETWEEN_SWEEPS: u64 = 1_024;

#[derive(Debug, Default)]
pub(super) struct Templates {
    known: HashMap<TemplateKey, Known>,
    /// How many of each exporter.
    held: HashMap<IpAddr, usize>,
    refused: u64,
    /// Refusals at which room is made again.
    sweep_at: u64,
    forgotten: u64,
}

#[derive(Debug)]
struct Known {
    template: Template,
    /// Whether records came for it.
    used: bool,
}

impl Templates {
    /// The template of a set of records.
    pub(super) fn find(&mut self, key: &TemplateKey) -> Option<&Template> {
        let known = self.known.get_mut(key)?;
        known.used = true;
        Some(&known.template)
    }

    /// Remembers a template, in the place of an older one of the same key.
    pub(super) fn learn(&mut self, key: TemplateKey, template: Template) {
        if let Some(known) = self.known.get_mut(&key) {
            known.template = template;
            return;
        }
        if self.known.len() >= MAX_TEMPLATES {
            self.sweep();
        }
        let held = self.held.entry(key.exporter).or_default();
        if self.known.len() >= MAX_TEMPLATES || *held >= MAX_TEMPLATES_OF_EXPORTER {
            self.refused += 1;
            if *held == 0 {
                self.held.remove(&key.exporter);
            }
            return;
        }
        *held += 1;
        self.known.insert(key, Known { template, used: false });
    }

    /// The exporter withdraws a template (RFC 7011, section 8.1).
    pub(super) fn withdraw(&mut self, key: &TemplateKey) {
        if self.known.remove(key).is_some() {
            self.let_go(key.exporter);
        }
    }

    /// The exporter has started again: its templates may mean something else now.
    pub(super) fn forget(&mut self, exporter: IpAddr, domain: u32) {
        self.keep(|key, _| (key.exporter, key.domain) != (exporter, domain));
    }

    /// Templates that found no place, and templates given up since.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.refused, self.forgotten)
    }

    /// Makes room from time to time: in a flood of templates those that real records use stay.
    fn sweep(&mut self) {
        if self.refused >= self.sweep_at {
            self.sweep_at = self.refused + REFUSED_BETWEEN_SWEEPS;
            self.keep(|_, known| known.used);
        }
    }

    fn keep(&mut self, stays: impl Fn(&TemplateKey, &Known) -> bool) {
        let gone: Vec<TemplateKey> = self
            .known
            .iter()
            .filter(|(key, known)| !stays(key, known))
            .map(|(key, _)| *key)
            .collect();
        for key in gone {
            self.withdraw(&key);
            self.forgotten += 1;
        }
    }

    fn let_go(&mut self, exporter: IpAddr) {
        if let Some(held) = self.held.get_mut(&exporter) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&exporter);
            }
        }
    }
}
