//! Names: what differs from one run to the next taken out of them, and their spelling for people.
//!
//! Input is always as recorded: the JVM's internal form (`java/util/HashMap$Node`, `[Ljava/lang/Object;`, `int`), in
//! which some writers, and the JVM for hidden classes, have dots already.
//!
//! Only what is numbered or drawn at run time is taken out. What a compiler numbers is the same in every run of one
//! build and stays, because it tells methods apart: `Foo$1`, `lambda$run$3`, `access$000`, `$anonfun$main$1`,
//! `_run_closure2`.

use std::borrow::Cow;

mod spelling;

pub use spelling::{java_name, source_file, type_name};

/// The characters that a run-time number consists of.
#[derive(Clone, Copy)]
enum Run {
    Digits,
    Hex,
    /// Letters and digits, drawn at random.
    Word,
    /// Numbers, joined by `_` and `-`.
    Stamp,
}

impl Run {
    fn has(self, c: u8) -> bool {
        match self {
            Self::Digits => c.is_ascii_digit(),
            Self::Hex => c.is_ascii_hexdigit(),
            Self::Word => c.is_ascii_alphanumeric() || c == b'_',
            Self::Stamp => c.is_ascii_digit() || matches!(c, b'_' | b'-'),
        }
    }
}

/// Where a marker may stand.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Anywhere,
    /// At the beginning of the simple name.
    Simple,
    /// At the beginning of the whole name.
    Start,
}

/// What follows `marker` and `separator` is dropped, and the separator with it.
struct Rule {
    place: Place,
    marker: &'static str,
    separator: &'static str,
    run: Run,
}

const fn rule(place: Place, marker: &'static str, separator: &'static str, run: Run) -> Rule {
    Rule { place, marker, separator, run }
}

/// The run-time names of classes, apart from the addresses of hidden ones.
const CLASS_RULES: &[Rule] = &[
    rule(Place::Anywhere, "$$Lambda", "$", Run::Digits),
    // Reflection.
    rule(Place::Anywhere, "GeneratedMethodAccessor", "", Run::Digits),
    rule(Place::Anywhere, "GeneratedConstructorAccessor", "", Run::Digits),
    rule(Place::Anywhere, "GeneratedSerializationConstructorAccessor", "", Run::Digits),
    rule(Place::Simple, "$Proxy", "", Run::Digits),
    rule(Place::Start, "jdk/proxy", "", Run::Digits),
    rule(Place::Start, "jdk.proxy", "", Run::Digits),
    // CGLIB, Spring's and Guice's copies of it.
    rule(Place::Anywhere, "CGLIB", "$$", Run::Hex),
    rule(Place::Anywhere, "ByGuice", "$$", Run::Hex),
    // Byte Buddy and its users.
    rule(Place::Anywhere, "$ByteBuddy", "$", Run::Word),
    rule(Place::Anywhere, "$auxiliary", "$", Run::Word),
    rule(Place::Anywhere, "$HibernateProxy", "$", Run::Word),
    rule(Place::Anywhere, "$HibernateBasicProxy", "$", Run::Word),
    rule(Place::Anywhere, "$HibernateInstantiator", "$", Run::Word),
    rule(Place::Anywhere, "$HibernateAccessOptimizer", "$", Run::Word),
    rule(Place::Anywhere, "$MockitoMock", "$", Run::Word),
    // Javassist.
    rule(Place::Anywhere, "_$$_jvst", "", Run::Word),
    rule(Place::Anywhere, "_$$_javassist", "_", Run::Word),
    // The JVM's own recorder: number, time and process.
    rule(Place::Anywhere, "EventHandler", "", Run::Stamp),
    rule(Place::Anywhere, "EventHandlerProxy", "", Run::Stamp),
    // Spark's generated code; Scala's and Groovy's interpreters.
    rule(Place::Anywhere, "ForCodegenStage", "", Run::Digits),
    rule(Place::Start, "$line", "", Run::Digits),
    rule(Place::Start, "Script", "", Run::Digits),
];

/// The run-time names of methods: those that Byte Buddy adds.
const METHOD_RULES: &[Rule] =
    &[rule(Place::Anywhere, "$accessor", "$", Run::Word), rule(Place::Anywhere, "$original", "$", Run::Word)];

/// A class name without what differs from run to run: the addresses and numbers of hidden and lambda classes
/// (`a.b.Foo$$Lambda$40/393040818` and `a.b.Foo$$Lambda/0x00007f1c2c000a00` are `a.b.Foo$$Lambda`), of reflection's
/// accessors and proxies, of what CGLIB, Byte Buddy, Javassist, Spark, Groovy and Scala generate.
#[must_use]
pub fn normalise_class(name: &str) -> Cow<'_, str> {
    if !suspicious(name) {
        return Cow::Borrowed(name);
    }
    reduce(Cow::Borrowed(name), |name| hidden_suffix(name).or_else(|| first_match(name, CLASS_RULES)))
}

/// A method name without what differs from run to run. Most never do.
#[must_use]
pub fn normalise_method(name: &str) -> Cow<'_, str> {
    if !name.as_bytes().contains(&b'$') {
        return Cow::Borrowed(name);
    }
    reduce(Cow::Borrowed(name), |name| first_match(name, METHOD_RULES))
}

/// A method descriptor in which each class name is [normalised](normalise_class).
#[must_use]
pub fn normalise_descriptor(descriptor: &str) -> Cow<'_, str> {
    // What a rule takes out is behind a dollar or is a number.
    if !descriptor.bytes().any(|c| c == b'$' || c.is_ascii_digit()) {
        return Cow::Borrowed(descriptor);
    }
    let mut out = String::with_capacity(descriptor.len());
    let mut rest = descriptor;
    // Up to an `L` there are only brackets and primitives, none of which is an `L`.
    while let Some((before, after)) = rest.split_once('L') {
        let Some((class, next)) = after.split_once(';') else { break };
        out.push_str(before);
        out.push('L');
        out.push_str(&normalise_class(class));
        out.push(';');
        rest = next;
    }
    out.push_str(rest);
    if out == descriptor { Cow::Borrowed(descriptor) } else { Cow::Owned(out) }
}

/// The first `bytes` bytes of a text, or some less where that would cut a character.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

/// Whether a rule could match; false for nearly all names, for the price of one look at their bytes.
fn suspicious(name: &str) -> bool {
    let (mut after_dollar, mut after_digit) = (false, false);
    for &c in name.as_bytes() {
        // The rules with dollars begin with two, or with one and one of these letters; `+` begins an address.
        if after_dollar && matches!(c, b'$' | b'B' | b'a' | b'H' | b'M') || c == b'+' {
            return true;
        }
        // For the others the number is the end of a name or of a part of it.
        if after_digit && !Run::Word.has(c) {
            return true;
        }
        after_dollar = c == b'$';
        after_digit = c.is_ascii_digit();
    }
    // The address of a hidden class is the last part of its name; most end in a letter beyond `f`.
    after_digit || name.ends_with(|c: char| c.is_ascii_hexdigit() || c == ';') && hidden_suffix(name).is_some()
}

/// How much is taken out of a name, one after the other; each time all of it is looked at again. Real names have two or
/// three such parts.
const MAX_STEPS: usize = 8;
/// Longer names are left as they are: no generator makes them.
const MAX_LENGTH: usize = 2_048;

/// Applies `step`, which finds a range to take out, until it finds nothing more, at most [`MAX_STEPS`] times.
fn reduce(mut name: Cow<'_, str>, step: impl Fn(&str) -> Option<std::ops::Range<usize>>) -> Cow<'_, str> {
    if name.len() > MAX_LENGTH {
        return name;
    }
    for _ in 0..MAX_STEPS {
        jfr_parse::work::done(name.len());
        let Some(range) = step(&name) else { break };
        if range.is_empty() || name.get(range.clone()).is_none() {
            break;
        }
        name.to_mut().replace_range(range, "");
    }
    name
}

/// The address or number at the end of a hidden class's name: `+0x00007f1c2c000a00/295485334`, `/0x00007f1c2c000a00`,
/// `.0x00007f1c2c000a00`, `/393040818`; in an array's name, before the semicolon.
fn hidden_suffix(name: &str) -> Option<std::ops::Range<usize>> {
    let body = name.strip_suffix(';').unwrap_or(name);
    let at = body.rfind(['/', '+', '.'])?;
    let (mark, tail) = (body.as_bytes().get(at)?, body.get(at + 1..)?);
    let number = tail.strip_prefix("0x").map_or_else(
        || *mark == b'/' && !tail.is_empty() && tail.bytes().all(|c| c.is_ascii_digit()),
        |hex| !hex.is_empty() && hex.bytes().all(|c| c.is_ascii_hexdigit()),
    );
    (number && at > 0).then_some(at..body.len())
}

fn first_match(name: &str, rules: &[Rule]) -> Option<std::ops::Range<usize>> {
    let pairs = name.bytes().zip(name.bytes().skip(1)).enumerate();
    pairs.filter(|(_, (first, second))| begins_marker(*first, *second)).find_map(|(at, _)| {
        let rest = name.get(at..)?;
        let here = |rule: &&Rule| rest.starts_with(rule.marker) && placed(name, at, rule.place);
        rules.iter().filter(here).find_map(|rule| {
            let from = at + rule.marker.len();
            let run_from = from + rule.separator.len();
            if !name.get(from..)?.starts_with(rule.separator) {
                return None;
            }
            let rest = name.as_bytes().get(run_from..)?;
            let length = rest.iter().take_while(|&&c| rule.run.has(c)).count();
            // The number must be all there is: `GeneratedMethodAccessor2Test` is somebody's class.
            let whole = rest.get(length).is_none_or(|c| c.is_ascii() && !Run::Word.has(*c));
            (length > 0 && whole).then_some(from..run_from + length)
        })
    })
}

/// Whether the marker of a rule begins with these two bytes.
fn begins_marker(first: u8, second: u8) -> bool {
    match first {
        b'$' => matches!(second, b'$' | b'P' | b'B' | b'a' | b'H' | b'M' | b'l' | b'o'),
        b'_' => second == b'$',
        b'j' => second == b'd',
        b'G' | b'F' | b'S' | b'C' | b'B' | b'E' => matches!(second, b'e' | b'o' | b'c' | b'G' | b'y' | b'v'),
        _ => false,
    }
}

fn placed(name: &str, at: usize, place: Place) -> bool {
    // An array's name begins with its brackets.
    let start = name.get(..at).is_some_and(|before| before.is_empty() || before.trim_start_matches('[') == "L");
    match place {
        Place::Anywhere => true,
        Place::Start => start,
        Place::Simple => start || name.get(..at).is_some_and(|before| before.ends_with(['/', '.'])),
    }
}

#[cfg(test)]
mod tests;
