//! Changes to the metadata: types, fields and annotations.

use jfr_parse::TypeId;

use crate::random::Random;
use crate::tree::{Element, Tree};

/// Types that most profiles depend on.
const CORE: [&str; 14] = [
    "java.lang.Class",
    "java.lang.String",
    "java.lang.Thread",
    "jdk.types.ClassLoader",
    "jdk.types.FrameType",
    "jdk.types.Method",
    "jdk.types.Module",
    "jdk.types.Package",
    "jdk.types.StackFrame",
    "jdk.types.StackTrace",
    "jdk.types.Symbol",
    "jdk.types.ThreadGroup",
    "jdk.types.ThreadState",
    "long",
];

/// Attribute values with a meaning.
const VALUES: [&str; 30] = [
    "",
    "0",
    "1",
    "-1",
    "4",
    "11",
    "2147483648",
    "9223372036854775807",
    "-9223372036854775808",
    "x",
    "true",
    "false",
    "boolean",
    "byte",
    "short",
    "char",
    "int",
    "long",
    "float",
    "double",
    "java.lang.String",
    "jdk.jfr.Event",
    "java.lang.annotation.Annotation",
    "TICKS",
    "SECONDS_SINCE_EPOCH",
    "MILLISECONDS_SINCE_EPOCH",
    "NANOSECONDS",
    "startTime",
    "stackTrace",
    "jdk.ExecutionSample",
];

/// Attributes with a meaning.
const KEYS: [&str; 9] =
    ["id", "name", "class", "superType", "simpleType", "dimension", "constantPool", "defaultValue", "value"];

/// The payload of a metadata event with one change, usually in the type with the id `used` or in one that most
/// profiles depend on; `None` if it cannot be parsed.
pub(super) fn change(payload: &[u8], used: Option<TypeId>, random: &mut Random) -> Option<Vec<u8>> {
    let mut tree = Tree::parse(payload)?;
    let wanted = match used {
        Some(id) => ("id", id.0.cast_signed().to_string()),
        None if random.chance(70) => ("name", (*random.pick(&CORE)).to_owned()),
        None => ("name", String::new()),
    };
    let (key, text) = (tree.position(wanted.0), tree.position(&wanted.1));
    let ids: Vec<usize> = {
        let id = tree.position("id");
        tree.classes_mut().flat_map(|class| &class.attributes).filter(|a| a.0 == id).map(|a| a.1).collect()
    };
    let vocabulary = Vocabulary {
        keys: KEYS.map(|key| tree.position(key)),
        values: VALUES.map(|value| tree.position(value)),
        texts: tree.texts.len(),
        ids,
    };
    let n = tree.classes_mut().count();
    let any = random.below(n);
    let place = tree.classes_mut().position(|class| class.attributes.contains(&(key, text))).unwrap_or(any);
    if random.chance(10) {
        vocabulary.element(&mut tree.root, random);
    } else if random.chance(10) {
        let lists = tree.root.children.len();
        vocabulary.children(tree.root.children.get_mut(random.below(lists))?, random);
    } else {
        let class = tree.classes_mut().nth(place)?;
        let inner = random.below(class.children.len() + 2);
        let element = match class.children.get_mut(inner) {
            Some(field) if field.children.is_empty() || random.chance(70) => field,
            Some(field) => {
                let annotations = field.children.len();
                &mut field.children[random.below(annotations)]
            }
            None => class,
        };
        vocabulary.element(element, random);
    }
    Some(tree.write())
}

/// Possible attribute values, as text positions.
struct Vocabulary {
    keys: [usize; KEYS.len()],
    values: [usize; VALUES.len()],
    ids: Vec<usize>,
    texts: usize,
}

impl Vocabulary {
    fn element(&self, of: &mut Element, random: &mut Random) {
        if random.chance(35) {
            return self.children(of, random);
        }
        let n = of.attributes.len();
        let i = random.below(n);
        match random.below(5) {
            0 | 1 if n > 0 => of.attributes[i].1 = self.value(random),
            2 if n > 0 => {
                of.attributes.remove(i);
            }
            3 if n > 0 => of.attributes[i].0 = *random.pick(&self.keys),
            _ => of.attributes.push((*random.pick(&self.keys), self.value(random))),
        }
    }

    fn value(&self, random: &mut Random) -> usize {
        match random.below(3) {
            0 if !self.ids.is_empty() => *random.pick(&self.ids),
            1 => random.below(self.texts),
            _ => *random.pick(&self.values),
        }
    }

    /// Repeats, drops or swaps the children of an element.
    fn children(&self, of: &mut Element, random: &mut Random) {
        let n = of.children.len();
        if n == 0 {
            of.name = random.below(self.texts);
            return;
        }
        let (i, j) = (random.below(n), random.below(n));
        match random.below(4) {
            0 => {
                let copies = if random.chance(10) { 300 } else { 1 };
                let copy = of.children[i].clone();
                of.children.splice(j..j, std::iter::repeat_n(copy, copies));
            }
            1 => {
                of.children.remove(i);
            }
            2 => of.children.swap(i, j),
            _ => {
                let moved = of.children.remove(i);
                match of.children.get_mut(j) {
                    Some(parent) => parent.children.push(moved),
                    None => of.children.push(moved),
                }
            }
        }
    }
}
