//! A simple profile from which tables with handles in any order can be made.
#![allow(dead_code, unreachable_pub, clippy::indexing_slicing)]

use jfrkit_profile::{Frame, Function, Interner, Label, LabelValue, Period, Profile, ProfileType, Samples, Tables};

/// `(name, system name, file, library, line)`
pub type PlainFrame = (String, String, String, String, u32);

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PlainValue {
    Text(String),
    Number(i64),
}

#[derive(Debug, Clone)]
pub struct PlainSample {
    /// Leaf first.
    pub stack: Vec<PlainFrame>,
    pub labels: Vec<(&'static str, PlainValue)>,
    pub values: Vec<i64>,
}

#[derive(Debug, Clone)]
pub struct Plain {
    pub kind: ProfileType,
    pub samples: Vec<PlainSample>,
    pub main: Option<String>,
    pub comments: Vec<String>,
    pub period: Option<i64>,
}

impl Plain {
    pub fn new(kind: ProfileType) -> Self {
        Self { kind, samples: Vec::new(), main: None, comments: Vec::new(), period: None }
    }

    pub fn sample(mut self, stack: &[&str], values: &[i64]) -> Self {
        let stack = stack.iter().map(|name| frame(name, 1)).collect();
        self.samples.push(PlainSample { stack, labels: Vec::new(), values: values.to_vec() });
        self
    }

    /// The profile. Everything is interned in the order given by `shuffle` (a permutation by sorting on a hash
    /// of it), so that the handles differ although the profile is the same.
    pub fn model(&self, shuffle: u64) -> (Profile, Tables) {
        let interner = Interner::new();
        let mut places: Vec<usize> = (0..self.samples.len()).collect();
        if shuffle != 0 {
            places.sort_by_key(|&i| (i as u64 + 1).wrapping_mul(shuffle | 1).rotate_left(29).wrapping_mul(shuffle | 1));
        }
        let keys: Vec<_> = places
            .iter()
            .map(|&i| {
                let sample = &self.samples[i];
                let mut stack = Vec::new();
                let mut symbols = interner.symbols();
                let mut frames: Vec<_> = sample.stack.iter().collect();
                if shuffle % 2 == 1 {
                    // The frames too are interned from the other end.
                    frames.reverse();
                }
                for (name, system_name, file, library, line) in frames {
                    let function = Function {
                        name: symbols.string(name),
                        system_name: symbols.string(system_name),
                        file: symbols.string(file),
                        library: symbols.string(library),
                    };
                    let function = symbols.function_id(function);
                    stack.push(symbols.frame_id(Frame { function, line: *line }));
                }
                if shuffle % 2 == 1 {
                    stack.reverse();
                }
                let labels: Vec<_> = sample
                    .labels
                    .iter()
                    .map(|(key, value)| Label {
                        key,
                        value: match value {
                            PlainValue::Text(text) => LabelValue::Text(symbols.string(text)),
                            PlainValue::Number(number) => LabelValue::Number(*number),
                        },
                    })
                    .collect();
                let labels = symbols.label_set(&labels);
                drop(symbols);
                (i, interner.stack(&stack), labels)
            })
            .collect();
        let mut keys = keys;
        keys.sort_by_key(|&(i, _, _)| i);
        let mut samples = Samples::new(self.kind.values().len());
        for (i, stack, labels) in keys {
            samples.push(stack, labels, &self.samples[i].values);
        }
        let profile = Profile {
            kind: self.kind,
            samples,
            time_nanos: 1_700_000_000_000_000_000,
            duration_nanos: 60_000_000_000,
            period: self.period.map(|amount| Period { value: self.kind.values()[0], amount }),
            coverage: None,
            comments: self.comments.clone(),
            main: self.main.clone(),
            timeline: None,
        };
        (profile, interner.freeze())
    }
}

pub fn frame(name: &str, line: u32) -> PlainFrame {
    (name.to_owned(), format!("{name}()V"), "File.java".to_owned(), String::new(), line)
}
