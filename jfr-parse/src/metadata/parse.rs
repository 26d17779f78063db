//! Parses the metadata event: a string table, followed by a tree of elements whose attributes index into it.

use super::{Field, Kind, Metadata, Range, RawAnnotation, RawField, RawSetting, RawType};
use crate::cursor::Cursor;
use crate::error::{Damage, Error, Result, Short};
use crate::ids::TypeId;
use crate::limits::Limits;
use crate::string::RawStr;
use crate::work;

/// The names of elements and attributes that this parser interprets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MetadataName {
    No,
    Metadata,
    Region,
    Class,
    Field,
    Setting,
    Annotation,
    Name,
    Id,
    SuperType,
    SimpleType,
    Dimension,
    ConstantPool,
    DefaultValue,
    Locale,
}

fn metadata_name(text: &str) -> MetadataName {
    match text {
        "metadata" => MetadataName::Metadata,
        "region" => MetadataName::Region,
        "class" => MetadataName::Class,
        "field" => MetadataName::Field,
        "setting" => MetadataName::Setting,
        "annotation" => MetadataName::Annotation,
        "name" => MetadataName::Name,
        "id" => MetadataName::Id,
        "superType" => MetadataName::SuperType,
        "simpleType" => MetadataName::SimpleType,
        "dimension" => MetadataName::Dimension,
        "constantPool" => MetadataName::ConstantPool,
        "defaultValue" => MetadataName::DefaultValue,
        "locale" => MetadataName::Locale,
        _ => MetadataName::No,
    }
}

/// Why parsing stopped; the caller knows the offset.
enum Stop {
    Short,
    /// The limit with this name was exceeded.
    Limit(&'static str),
}

impl From<Short> for Stop {
    fn from(_: Short) -> Self {
        Self::Short
    }
}

impl Metadata {
    /// Parses the payload of a metadata event (everything after the size and type), located at `offset`.
    ///
    /// # Errors
    /// [`Damage::BadMetadata`] if it does not parse, [`Error::LimitExceeded`] if it declares too much.
    pub fn parse(payload: &[u8], offset: u64, limits: &Limits) -> Result<Self> {
        let mut at = Cursor::new(payload);
        let mut parser = Parser {
            out: Self { locale: u32::MAX, ..Self::default() },
            known: Vec::new(),
            limits,
            budget: limits.metadata_elements,
            attributes: Vec::new(),
            own_annotations: Vec::new(),
        };
        match parser.event(&mut at) {
            Ok(()) => Ok(parser.out),
            Err(Stop::Short) => Err(Error::damaged(offset, Damage::BadMetadata)),
            Err(Stop::Limit(name)) => Err(limits.exceeded(name, offset)),
        }
    }
}

struct Parser<'l> {
    out: Metadata,
    known: Vec<MetadataName>,
    limits: &'l Limits,
    budget: usize,
    /// The attributes of the element being read.
    attributes: Vec<(u32, u32)>,
    /// The annotations of the class being read, which are interleaved with those of its fields.
    own_annotations: Vec<RawAnnotation>,
}

struct Element {
    name: MetadataName,
    children: usize,
}

impl Parser<'_> {
    fn event(&mut self, at: &mut Cursor<'_>) -> Result<(), Stop> {
        at.skip_varints(2)?; // start time and duration
        self.out.id = at.varint()?;
        self.strings(at)?;
        let root = self.element(at)?;
        for _ in 0..root.children {
            let element = self.element(at)?;
            match element.name {
                MetadataName::Metadata => {
                    for _ in 0..element.children {
                        let class = self.element(at)?;
                        if class.name == MetadataName::Class {
                            self.class(at, class.children)?
                        } else {
                            self.skip(at, class.children)?
                        }
                    }
                }
                MetadataName::Region => {
                    self.out.locale = self.attribute(MetadataName::Locale).unwrap_or(u32::MAX);
                    self.skip(at, element.children)?;
                }
                _ => self.skip(at, element.children)?,
            }
        }
        self.finish();
        Ok(())
    }

    fn strings(&mut self, at: &mut Cursor<'_>) -> Result<(), Stop> {
        let n = at.count()?;
        // Text is never longer than the bytes left, except when Latin-1 or UTF-16 expands to UTF-8.
        self.out.text.reserve(at.left().min(1 << 20));
        self.out.strings.reserve(n.min(1 << 16));
        self.known.reserve(n.min(1 << 16));
        for _ in 0..n {
            let raw = RawStr::read(at)?;
            if raw.bytes().len() > self.limits.string_bytes {
                return Err(Stop::Limit("string_bytes"));
            }
            let text = raw.decode().unwrap_or_default();
            let from = u32::try_from(self.out.text.len()).map_err(|_| Short)?;
            self.out.text.push_str(&text);
            let to = u32::try_from(self.out.text.len()).map_err(|_| Short)?;
            self.out.strings.push((from, to));
            self.known.push(metadata_name(&text));
        }
        Ok(())
    }

    /// Reads the start of an element and leaves its attributes in `self.attributes`.
    fn element(&mut self, at: &mut Cursor<'_>) -> Result<Element, Stop> {
        self.budget = self.budget.checked_sub(1).ok_or(Stop::Limit("metadata_elements"))?;
        let name = self.index(at)?;
        let attributes = at.count()?;
        work::done(attributes.saturating_add(1));
        self.attributes.clear();
        for _ in 0..attributes {
            let pair = (self.index(at)?, self.index(at)?);
            self.attributes.push(pair);
        }
        Ok(Element { name: self.metadata_name(name), children: at.count()? })
    }

    fn index(&self, at: &mut Cursor<'_>) -> Result<u32, Stop> {
        let index = u32::try_from(at.varint()?).map_err(|_| Short)?;
        if (index as usize) < self.out.strings.len() { Ok(index) } else { Err(Stop::Short) }
    }

    fn metadata_name(&self, index: u32) -> MetadataName {
        self.known.get(index as usize).copied().unwrap_or(MetadataName::No)
    }

    /// Skips `n` elements and everything inside them.
    fn skip(&mut self, at: &mut Cursor<'_>, n: usize) -> Result<(), Stop> {
        let mut open = n;
        while open > 0 {
            let element = self.element(at)?;
            open = (open - 1).checked_add(element.children).ok_or(Short)?;
        }
        Ok(())
    }

    fn attribute(&self, wanted: MetadataName) -> Option<u32> {
        self.attributes.iter().find(|(key, _)| self.metadata_name(*key) == wanted).map(|&(_, value)| value)
    }

    /// A decimal number; type ids can be negative.
    fn number(&self, wanted: MetadataName) -> Option<i64> {
        self.attribute(wanted).and_then(|value| self.out.str(value).parse().ok())
    }

    fn type_ref(&self) -> Result<TypeId, Stop> {
        self.type_number(MetadataName::Class)
    }

    fn type_number(&self, wanted: MetadataName) -> Result<TypeId, Stop> {
        self.number(wanted).map(|id| TypeId(id.cast_unsigned())).ok_or(Stop::Short)
    }

    fn class(&mut self, at: &mut Cursor<'_>, children: usize) -> Result<(), Stop> {
        let mut class = RawType {
            id: self.type_number(MetadataName::Id)?,
            name: self.attribute(MetadataName::Name).ok_or(Stop::Short)?,
            super_type: self.attribute(MetadataName::SuperType).unwrap_or(u32::MAX),
            simple: self.attribute(MetadataName::SimpleType).is_some(),
            ..RawType::default()
        };
        let (fields, settings) = (len(&self.out.fields)?, len(&self.out.settings)?);
        self.own_annotations.clear();
        for _ in 0..children {
            let child = self.element(at)?;
            match child.name {
                MetadataName::Field => {
                    let mut field = RawField {
                        name: self.attribute(MetadataName::Name).ok_or(Stop::Short)?,
                        type_id: self.type_ref()?,
                        array: self.number(MetadataName::Dimension).unwrap_or(0) > 0,
                        pooled: self.attribute(MetadataName::ConstantPool).is_some(),
                        type_index: u32::MAX,
                        ..RawField::default()
                    };
                    field.annotations = self.annotations(at, child.children)?;
                    self.out.fields.push(field);
                }
                MetadataName::Setting => {
                    let mut setting = RawSetting {
                        name: self.attribute(MetadataName::Name).ok_or(Stop::Short)?,
                        type_id: self.type_ref()?,
                        default_value: self.attribute(MetadataName::DefaultValue).unwrap_or(u32::MAX),
                        annotations: 0..0,
                    };
                    setting.annotations = self.annotations(at, child.children)?;
                    self.out.settings.push(setting);
                }
                MetadataName::Annotation => {
                    let annotation = self.annotation()?;
                    self.own_annotations.push(annotation);
                    self.skip(at, child.children)?;
                }
                _ => self.skip(at, child.children)?,
            }
        }
        class.fields = fields..len(&self.out.fields)?;
        class.settings = settings..len(&self.out.settings)?;
        let from = len(&self.out.annotations)?;
        self.out.annotations.append(&mut self.own_annotations);
        class.annotations = from..len(&self.out.annotations)?;
        if self.out.types.len() >= self.limits.types {
            return Err(Stop::Limit("types"));
        }
        self.out.types.push(class);
        Ok(())
    }

    /// The annotations among the children of a field or a setting.
    fn annotations(&mut self, at: &mut Cursor<'_>, children: usize) -> Result<Range, Stop> {
        let from = len(&self.out.annotations)?;
        for _ in 0..children {
            let child = self.element(at)?;
            if child.name == MetadataName::Annotation {
                let annotation = self.annotation()?;
                self.out.annotations.push(annotation);
            }
            self.skip(at, child.children)?;
        }
        Ok(from..len(&self.out.annotations)?)
    }

    fn annotation(&mut self) -> Result<RawAnnotation, Stop> {
        let type_id = self.type_ref()?;
        let from = len(&self.out.attributes)?;
        for i in 0..self.attributes.len() {
            let Some(&(key, value)) = self.attributes.get(i) else { break };
            if self.metadata_name(key) != MetadataName::Class {
                self.out.attributes.push((key, value));
            }
        }
        Ok(RawAnnotation { type_id, attributes: from..len(&self.out.attributes)? })
    }

    fn finish(&mut self) {
        self.out.by_id.reserve(self.out.types.len());
        for (i, class) in (0u32..).zip(&self.out.types) {
            self.out.by_id.insert(class.id, i);
        }
        let ids: Vec<TypeId> = self.out.types.iter().map(|class| class.id).collect();
        ids.into_iter().for_each(|id| self.out.declare(id));
        for i in 0..self.out.types.len() {
            let Some(class) = self.out.types.get(i) else { break };
            let kind = if class.fields.is_empty() { kind(self.out.str(class.name)) } else { Kind::Struct };
            if let Some(class) = self.out.types.get_mut(i) {
                class.kind = kind;
            }
        }
        for i in 0..self.out.fields.len() {
            let Some(raw) = self.out.fields.get(i) else { break };
            let field = Field { metadata: &self.out, raw };
            let (unsigned, content) = (field.declared_unsigned(), field.declared_content());
            let type_index = self.out.by_id.get(&raw.type_id).copied().unwrap_or(u32::MAX);
            if let Some(raw) = self.out.fields.get_mut(i) {
                (raw.unsigned, raw.content, raw.type_index) = (unsigned, content, type_index);
            }
        }
    }
}

/// Primitives are ordinary classes without fields, recognized by name.
fn kind(name: &str) -> Kind {
    match name {
        "boolean" => Kind::Boolean,
        "byte" => Kind::Byte,
        "short" => Kind::Short,
        "char" => Kind::Char,
        "int" => Kind::Int,
        "long" => Kind::Long,
        "float" => Kind::Float,
        "double" => Kind::Double,
        "java.lang.String" => Kind::String,
        _ => Kind::Struct,
    }
}

fn len<T>(table: &[T]) -> Result<u32, Stop> {
    u32::try_from(table.len()).map_err(|_| Stop::Limit("metadata_elements"))
}
