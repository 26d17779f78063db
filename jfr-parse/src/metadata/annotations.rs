//! The annotations of types, fields and settings, and what they mean.

use super::{Field, Metadata, RawAnnotation, Setting, Type, slice};

/// An annotation of a type, a field or a setting.
#[derive(Clone, Copy)]
pub struct Annotation<'m> {
    pub(super) metadata: &'m Metadata,
    pub(super) raw: &'m RawAnnotation,
}

impl<'m> Annotation<'m> {
    /// The name of the annotation type, for example `jdk.jfr.Label`; empty if the type is not declared.
    #[must_use]
    pub fn name(&self) -> &'m str {
        self.value_type().map(|t| t.name()).unwrap_or_default()
    }

    /// The annotation type.
    #[must_use]
    pub fn value_type(&self) -> Option<Type<'m>> {
        self.metadata.by_id(self.raw.type_id)
    }

    /// The members as (name, value) pairs; the elements of an array member are `value-0`, `value-1`, …
    pub fn members(&self) -> impl ExactSizeIterator<Item = (&'m str, &'m str)> + use<'m> {
        let metadata = self.metadata;
        slice(&metadata.attributes, &self.raw.attributes)
            .iter()
            .map(move |&(key, value)| (metadata.str(key), metadata.str(value)))
    }

    /// The member `value`.
    #[must_use]
    pub fn value(&self) -> Option<&'m str> {
        self.members().find(|(key, _)| *key == "value").map(|(_, value)| value)
    }
}

/// The unit of a time value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    /// Ticks of the chunk's clock.
    Ticks,
    /// Nanoseconds.
    Nanos,
    /// Microseconds.
    Micros,
    /// Milliseconds.
    Millis,
    /// Seconds.
    Seconds,
}

/// The meaning of the number in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A point in time: in ticks of the chunk's clock, or since the Unix epoch in another unit.
    Timestamp(TimeUnit),
    /// A duration.
    Timespan(TimeUnit),
    /// Bytes.
    Bytes,
    /// Bits.
    Bits,
    /// A ratio between 0 and 1.
    Percentage,
    /// Hertz.
    Frequency,
    /// Bytes per second.
    BytesPerSecond,
    /// Bits per second.
    BitsPerSecond,
    /// A memory address.
    MemoryAddress,
}

/// The methods that types, fields and settings share: label, description and so on.
macro_rules! described {
    ($($name:ident),*) => {$(
        impl<'m> $name<'m> {
            /// The first annotation of this type.
            #[must_use]
            pub fn annotation(&self, name: &str) -> Option<Annotation<'m>> {
                self.annotations().find(|a| a.name() == name)
            }

            /// The human-readable name.
            #[must_use]
            pub fn label(&self) -> Option<&'m str> {
                self.annotation("jdk.jfr.Label").and_then(|a| a.value())
            }

            /// A one-sentence description.
            #[must_use]
            pub fn description(&self) -> Option<&'m str> {
                self.annotation("jdk.jfr.Description").and_then(|a| a.value())
            }

            /// Whether it is experimental and may be removed in later releases.
            #[must_use]
            pub fn is_experimental(&self) -> bool {
                self.annotation("jdk.jfr.Experimental").is_some()
            }
        }
    )*};
}
described!(Type, Field, Setting);

impl<'m> Type<'m> {
    /// The path of categories that contains this event type.
    pub fn categories(&self) -> impl Iterator<Item = &'m str> + use<'m> {
        self.annotation("jdk.jfr.Category")
            .into_iter()
            .flat_map(|a| a.members())
            .filter(|(key, _)| key.starts_with("value"))
            .map(|(_, value)| value)
    }
}

impl Field<'_> {
    /// Whether the number is unsigned.
    #[must_use]
    pub fn is_unsigned(&self) -> bool {
        self.raw.unsigned
    }

    /// The meaning of the number, if it is annotated.
    #[must_use]
    pub fn content(&self) -> Option<Content> {
        self.raw.content
    }

    pub(super) fn declared_unsigned(&self) -> bool {
        self.annotation("jdk.jfr.Unsigned").is_some()
    }

    pub(super) fn declared_content(&self) -> Option<Content> {
        let (mut amount, mut frequency, mut other) = (None, false, None);
        for annotation in self.annotations() {
            let value = annotation.value().unwrap_or_default();
            let name = annotation.name();
            match name.strip_prefix("jdk.jfr.").or_else(|| name.strip_prefix("com.oracle.jfr.")).unwrap_or_default() {
                "Timestamp" => {
                    other = Some(Content::Timestamp(match value {
                        "MILLISECONDS_SINCE_EPOCH" => TimeUnit::Millis,
                        "NANOSECONDS_SINCE_EPOCH" => TimeUnit::Nanos,
                        "SECONDS_SINCE_EPOCH" => TimeUnit::Seconds,
                        _ => TimeUnit::Ticks,
                    }));
                }
                "Timespan" => {
                    other = Some(Content::Timespan(match value {
                        "NANOSECONDS" => TimeUnit::Nanos,
                        "MICROSECONDS" => TimeUnit::Micros,
                        "MILLISECONDS" => TimeUnit::Millis,
                        "SECONDS" => TimeUnit::Seconds,
                        _ => TimeUnit::Ticks,
                    }));
                }
                "DataAmount" | "MemoryAmount" => amount = Some(value == "BITS"),
                "Percentage" => other = Some(Content::Percentage),
                "Frequency" => frequency = true,
                "MemoryAddress" => other = Some(Content::MemoryAddress),
                _ => {}
            }
        }
        match (amount, frequency) {
            (Some(true), true) => Some(Content::BitsPerSecond),
            (Some(false), true) => Some(Content::BytesPerSecond),
            (Some(true), false) => Some(Content::Bits),
            (Some(false), false) => Some(Content::Bytes),
            (None, true) => other.or(Some(Content::Frequency)),
            (None, false) => other,
        }
    }
}
