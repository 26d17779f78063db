//! Classes and the metadata event that declares them.

use std::collections::HashMap;

use super::{
    BOOLEAN, BYTE, CHAR, DATA_AMOUNT, DOUBLE, FLOAT, INT, LONG, Payload, SHORT, STRING, TIMESPAN, TIMESTAMP, UNSIGNED,
};

/// A type to declare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    id: u64,
    name: String,
    super_type: Option<&'static str>,
    simple: bool,
    fields: Vec<Field>,
    annotations: Vec<Annotation>,
    settings: Vec<(String, u64, String)>,
}

type Annotation = (u64, Vec<(String, String)>);

/// A field to declare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    name: String,
    type_id: u64,
    array: bool,
    pooled: bool,
    annotations: Vec<Annotation>,
}

impl Class {
    /// A data type.
    #[must_use]
    pub fn new(id: u64, name: &str) -> Self {
        Self {
            id,
            name: name.to_owned(),
            super_type: None,
            simple: false,
            fields: Vec::new(),
            annotations: Vec::new(),
            settings: Vec::new(),
        }
    }

    /// An event type.
    #[must_use]
    pub fn event(id: u64, name: &str) -> Self {
        Self { super_type: Some("jdk.jfr.Event"), ..Self::new(id, name) }
    }

    /// An annotation type.
    #[must_use]
    pub fn annotation_type(id: u64, name: &str) -> Self {
        Self { super_type: Some("java.lang.annotation.Annotation"), ..Self::new(id, name) }
    }

    /// A type that wraps one string.
    #[must_use]
    pub fn symbol(id: u64, name: &str) -> Self {
        Self::new(id, name).field(Field::new("string", STRING)).simple()
    }

    /// Marks the type as a wrapper of its only field.
    #[must_use]
    pub fn simple(mut self) -> Self {
        self.simple = true;
        self
    }

    /// Adds a field.
    #[must_use]
    pub fn field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// Adds an annotation with these members.
    #[must_use]
    pub fn annotated(mut self, type_id: u64, members: &[(&str, &str)]) -> Self {
        self.annotations.push((type_id, owned(members)));
        self
    }

    /// Adds a setting.
    #[must_use]
    pub fn setting(mut self, name: &str, type_id: u64, default_value: &str) -> Self {
        self.settings.push((name.to_owned(), type_id, default_value.to_owned()));
        self
    }
}

impl Field {
    /// A scalar field stored inline.
    #[must_use]
    pub fn new(name: &str, type_id: u64) -> Self {
        Self { name: name.to_owned(), type_id, array: false, pooled: false, annotations: Vec::new() }
    }

    /// Makes the field an array.
    #[must_use]
    pub fn array(mut self) -> Self {
        self.array = true;
        self
    }

    /// Makes the field a key, or an array of keys.
    #[must_use]
    pub fn pooled(mut self) -> Self {
        self.pooled = true;
        self
    }

    /// Adds an annotation with a member `value`, or without members if `value` is empty.
    #[must_use]
    pub fn annotated(mut self, type_id: u64, value: &str) -> Self {
        let members: &[_] = if value.is_empty() { &[] } else { &[("value", value)] };
        self.annotations.push((type_id, owned(members)));
        self
    }
}

fn owned(members: &[(&str, &str)]) -> Vec<(String, String)> {
    members.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

/// An element of the metadata tree.
struct Element {
    name: &'static str,
    attributes: Vec<(String, String)>,
    children: Vec<Element>,
}

fn element(name: &'static str, attributes: &[(&str, &str)], children: Vec<Element>) -> Element {
    Element { name, attributes: owned(attributes), children }
}

/// The payload of a metadata event that declares `classes`.
pub(super) fn payload(classes: &[Class]) -> Payload {
    let base = [
        Class::new(BOOLEAN, "boolean"),
        Class::new(CHAR, "char"),
        Class::new(FLOAT, "float"),
        Class::new(DOUBLE, "double"),
        Class::new(BYTE, "byte"),
        Class::new(SHORT, "short"),
        Class::new(INT, "int"),
        Class::new(LONG, "long"),
        Class::new(STRING, "java.lang.String"),
        Class::annotation_type(TIMESTAMP, "jdk.jfr.Timestamp"),
        Class::annotation_type(TIMESPAN, "jdk.jfr.Timespan"),
        Class::annotation_type(UNSIGNED, "jdk.jfr.Unsigned"),
        Class::annotation_type(DATA_AMOUNT, "jdk.jfr.DataAmount"),
    ];
    let classes = base.iter().chain(classes).map(class).collect();
    let region = element("region", &[("locale", "en_US"), ("gmtOffset", "3600000")], Vec::new());
    let root = element("root", &[], vec![element("metadata", &[], classes), region]);
    let (mut strings, mut places, mut tree) = (Vec::new(), HashMap::new(), Payload::new());
    write(
        &root,
        &mut |text| {
            *places.entry(text.to_owned()).or_insert_with(|| {
                strings.push(text.to_owned());
                strings.len() - 1
            }) as u64
        },
        &mut tree,
    );
    let head = Payload::new().varint(0).varint(0).varint(1).varint(strings.len() as u64);
    strings.iter().fold(head, Payload::utf8).raw(&tree.0)
}

fn annotations(of: &[Annotation]) -> Vec<Element> {
    of.iter()
        .map(|(type_id, members)| {
            let mut attributes = vec![("class".to_owned(), type_id.to_string())];
            attributes.extend(members.iter().cloned());
            Element { name: "annotation", attributes, children: Vec::new() }
        })
        .collect()
}

fn class(of: &Class) -> Element {
    let id = of.id.cast_signed().to_string();
    let mut out = element("class", &[("name", &of.name), ("id", &id)], Vec::new());
    if let Some(name) = of.super_type {
        out.attributes.extend(owned(&[("superType", name)]));
    }
    if of.simple {
        out.attributes.extend(owned(&[("simpleType", "true")]));
    }
    for (name, type_id, default) in &of.settings {
        let type_id = type_id.to_string();
        let attributes = [("name", name.as_str()), ("class", &type_id), ("defaultValue", default)];
        out.children.push(element("setting", &attributes, Vec::new()));
    }
    for field in &of.fields {
        let type_id = field.type_id.cast_signed().to_string();
        let mut child =
            element("field", &[("name", &field.name), ("class", &type_id)], annotations(&field.annotations));
        if field.array {
            child.attributes.extend(owned(&[("dimension", "1")]));
        }
        if field.pooled {
            child.attributes.extend(owned(&[("constantPool", "true")]));
        }
        out.children.push(child);
    }
    out.children.extend(annotations(&of.annotations));
    out
}

fn write(of: &Element, index: &mut impl FnMut(&str) -> u64, out: &mut Payload) {
    let mut head = std::mem::take(out).varint(index(of.name)).varint(of.attributes.len() as u64);
    for (key, value) in &of.attributes {
        head = head.varint(index(key)).varint(index(value));
    }
    *out = head.varint(of.children.len() as u64);
    for child in &of.children {
        write(child, index, out);
    }
}
