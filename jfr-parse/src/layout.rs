//! How to move past a value without decoding it: a short list of steps, made once per type.

use crate::cursor::Cursor;
use crate::error::Short;
use crate::limits::Limits;
use crate::metadata::{Field, Kind, Type};
use crate::string::RawStr;

/// More steps than any real type needs; a forged one could multiply them without end.
const MAX_STEPS: usize = 4_096;

/// One step past part of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// This many varints.
    Varints(usize),
    /// This many bytes.
    Fixed(usize),
    /// One string.
    Str,
    /// A count, and that many times these steps.
    Repeat(Vec<Step>),
}

impl Step {
    #[inline]
    pub(crate) fn skip(&self, at: &mut Cursor<'_>) -> Result<(), Short> {
        match self {
            Self::Varints(n) => at.skip_varints(*n),
            Self::Fixed(n) => at.bytes(*n).map(|_| ()),
            Self::Str => RawStr::skip(at),
            Self::Repeat(steps) => repeat(steps, at),
        }
    }
}

fn repeat(steps: &[Step], at: &mut Cursor<'_>) -> Result<(), Short> {
    match steps {
        // Elements of no bytes: any count of them takes no room and no time.
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
                for step in steps {
                    step.skip(at)?;
                }
            }
            Ok(())
        }
    }
}

/// The steps past a whole value of a type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    steps: Vec<Step>,
}

impl Layout {
    /// The layout of a value of `of` as it stands in its pool; `None` where the metadata does not say it or
    /// the type is nested beyond the limit.
    pub(crate) fn of_type(of: Type<'_>, limits: &Limits) -> Option<Self> {
        let mut steps = Vec::new();
        Builder { budget: MAX_STEPS }.value(of, limits.nesting, &mut steps)?;
        Some(Self { steps })
    }

    /// The layout of a field.
    pub(crate) fn of_field(field: Field<'_>, limits: &Limits) -> Option<Self> {
        let mut steps = Vec::new();
        Builder { budget: MAX_STEPS }.field(field, limits.nesting, &mut steps)?;
        Some(Self { steps })
    }

    /// The layout of one element of an array field.
    pub(crate) fn of_element(field: Field<'_>, limits: &Limits) -> Option<Self> {
        let mut steps = Vec::new();
        Builder { budget: MAX_STEPS }.scalar(field, limits.nesting, &mut steps)?;
        Some(Self { steps })
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Moves past one value.
    #[inline]
    pub(crate) fn skip(&self, at: &mut Cursor<'_>) -> Result<(), Short> {
        for step in &self.steps {
            step.skip(at)?;
        }
        Ok(())
    }
}

/// Adds a step, joined with the one before where that is the same thing.
pub(crate) fn push(steps: &mut Vec<Step>, step: Step) {
    match (steps.last_mut(), step) {
        (Some(Step::Varints(n)), Step::Varints(more)) => *n = n.saturating_add(more),
        (Some(Step::Fixed(n)), Step::Fixed(more)) => *n = n.saturating_add(more),
        (_, step) => steps.push(step),
    }
}

struct Builder {
    budget: usize,
}

impl Builder {
    fn value(&mut self, of: Type<'_>, depth: usize, out: &mut Vec<Step>) -> Option<()> {
        self.budget = self.budget.checked_sub(1)?;
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
        self.budget = self.budget.checked_sub(1)?;
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
