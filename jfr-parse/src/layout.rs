//! How to skip a value without decoding it: a short list of steps, computed once per type.

use crate::cursor::{Cursor, beyond, skip_varints_at};
use crate::error::Short;
use crate::limits::Limits;
use crate::metadata::{Field, Kind, Type};
use crate::string::RawStr;
use crate::work;

/// More steps than any real type needs. A forged type with nested types could otherwise multiply
/// its steps without end.
const MAX_STEPS: usize = 4_096;

/// How many types and fields may be examined for several layouts together. Without it, a million
/// types could each contain the same large one.
#[derive(Debug)]
pub(crate) struct Budget(usize);

impl Budget {
    pub(crate) fn new(visits: usize) -> Self {
        Self(visits)
    }

    /// A budget for a single layout.
    pub(crate) fn single() -> Self {
        Self(MAX_STEPS)
    }

    pub(crate) fn spend(&mut self) -> Option<()> {
        work::done(1);
        self.0 = self.0.checked_sub(1)?;
        Some(())
    }
}

/// One step when skipping a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Skip this many varints.
    Varints(usize),
    /// Skip this many bytes.
    Fixed(usize),
    /// Skip one string.
    Str,
    /// Read a count and repeat these steps that many times.
    Repeat(Vec<Step>),
}

impl Step {
    /// The place after the step at `place`. Bytes and a place are kept in registers, unlike a cursor.
    #[inline(always)]
    pub(crate) fn skip_at(&self, bytes: &[u8], place: usize) -> Result<usize, Short> {
        work::done(1);
        match self {
            Self::Varints(n) => skip_varints_at(bytes, place, *n),
            Self::Fixed(n) => beyond(bytes, place, |at| at.bytes(*n).map(|_| ())),
            Self::Str => RawStr::skip_at(bytes, place),
            Self::Repeat(steps) => beyond(bytes, place, |at| repeat(steps, at)),
        }
    }
}

#[inline]
fn skip_all_at(steps: &[Step], bytes: &[u8], mut place: usize) -> Result<usize, Short> {
    for step in steps {
        place = step.skip_at(bytes, place)?;
    }
    Ok(place)
}

fn skip_all(steps: &[Step], at: &mut Cursor<'_>) -> Result<(), Short> {
    let end = skip_all_at(steps, at.rest(), 0)?;
    at.move_to(end)
}

fn repeat(steps: &[Step], at: &mut Cursor<'_>) -> Result<(), Short> {
    match steps {
        // Zero-size elements: any number of them takes no space and no time.
        [] => at.varint().map(|_| ()),
        [Step::Varints(k)] => {
            let n = at.count()?;
            at.skip_varints(n.checked_mul(*k).ok_or(Short)?)
        }
        [Step::Fixed(k)] => {
            let n = at.count()?;
            at.bytes(n.checked_mul(*k).ok_or(Short)?).map(|_| ())
        }
        steps => {
            for _ in 0..at.count()? {
                skip_all(steps, at)?;
            }
            Ok(())
        }
    }
}

/// The steps that skip a whole value of a type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    steps: Vec<Step>,
}

impl Layout {
    /// The layout of a value of `of` as stored in its pool; `None` if the metadata is incomplete or
    /// the type is nested beyond the limit.
    pub(crate) fn of_type(of: Type<'_>, limits: &Limits, budget: &mut Budget) -> Option<Self> {
        Self::build(budget, |builder, steps| builder.value(of, limits.nesting, steps))
    }

    /// The layout of a field.
    pub(crate) fn of_field(field: Field<'_>, limits: &Limits, budget: &mut Budget) -> Option<Self> {
        Self::build(budget, |builder, steps| builder.field(field, limits.nesting, steps))
    }

    /// The layout of one element of an array field.
    pub(crate) fn of_element(field: Field<'_>, limits: &Limits, budget: &mut Budget) -> Option<Self> {
        Self::build(budget, |builder, steps| builder.scalar(field, limits.nesting, steps))
    }

    fn build(budget: &mut Budget, fill: impl FnOnce(&mut Builder<'_>, &mut Vec<Step>) -> Option<()>) -> Option<Self> {
        let mut steps = Vec::new();
        fill(&mut Builder { left: MAX_STEPS, budget }, &mut steps)?;
        // There is a layout for each type of a chunk, and most have a single step.
        steps.shrink_to_fit();
        Some(Self { steps })
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Skips one value.
    #[inline]
    pub(crate) fn skip(&self, at: &mut Cursor<'_>) -> Result<(), Short> {
        skip_all(&self.steps, at)
    }

    /// The place after a value at `place`.
    #[inline]
    pub(crate) fn skip_at(&self, bytes: &[u8], place: usize) -> Result<usize, Short> {
        skip_all_at(&self.steps, bytes, place)
    }
}

/// Adds a step, merging it with the previous one if possible.
pub(crate) fn push(steps: &mut Vec<Step>, step: Step) {
    match (steps.last_mut(), step) {
        (Some(Step::Varints(n)), Step::Varints(more)) => *n = n.saturating_add(more),
        (Some(Step::Fixed(n)), Step::Fixed(more)) => *n = n.saturating_add(more),
        (_, step) => steps.push(step),
    }
}

struct Builder<'b> {
    left: usize,
    budget: &'b mut Budget,
}

impl Builder<'_> {
    fn spend(&mut self) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        self.budget.spend()
    }

    fn value(&mut self, of: Type<'_>, depth: usize, out: &mut Vec<Step>) -> Option<()> {
        self.spend()?;
        let step = match of.kind() {
            Kind::Boolean | Kind::Byte => Step::Fixed(1),
            Kind::Short | Kind::Char | Kind::Int | Kind::Long => Step::Varints(1),
            Kind::Float => Step::Fixed(4),
            Kind::Double => Step::Fixed(8),
            Kind::String => Step::Str,
            Kind::Struct => {
                let depth = depth.checked_sub(1)?;
                for field in of.fields() {
                    self.field(field, depth, out)?;
                }
                return Some(());
            }
        };
        push(out, step);
        Some(())
    }

    fn field(&mut self, field: Field<'_>, depth: usize, out: &mut Vec<Step>) -> Option<()> {
        self.spend()?;
        if field.is_array() {
            let mut element = Vec::new();
            self.scalar(field, depth, &mut element)?;
            out.push(Step::Repeat(element));
            Some(())
        } else {
            self.scalar(field, depth, out)
        }
    }

    fn scalar(&mut self, field: Field<'_>, depth: usize, out: &mut Vec<Step>) -> Option<()> {
        if field.is_pooled() {
            push(out, Step::Varints(1));
            return Some(());
        }
        self.value(field.value_type()?, depth, out)
    }
}
