//! How to get from the key of a stack trace to names and lines, derived from metadata alone.

use jfr_parse::{Chunk, Column, ConstantKey, Inline, Kind, Plan, Result, Text, Type, TypeId};

/// Plans for reading a stack trace and its methods.
#[derive(Debug)]
pub(crate) struct StackPlans {
    pub(crate) trace_type: TypeId,
    /// `truncated`, `frames`.
    pub(crate) trace: Plan<2>,
    pub(crate) frame_type: TypeId,
    /// Whether frames have their own pool, as some writers do.
    pub(crate) pooled_frames: bool,
    /// `method`, `lineNumber`.
    pub(crate) frame: Plan<2>,
    /// The number of varints, if a frame consists only of varints.
    pub(crate) varints: Option<usize>,
    /// Which of these varints are the key of the method and the line, if they have the types that the JVM gives them.
    pub(crate) places: Option<[usize; 2]>,
    pub(crate) method_type: TypeId,
    /// `type`, `name`, `descriptor`.
    pub(crate) method: Plan<3>,
    pub(crate) class: Option<ClassPlan>,
}

/// Plans for reading the name of a class.
#[derive(Debug, Clone)]
pub(crate) struct ClassPlan {
    pub(crate) class_type: TypeId,
    /// `name`.
    pub(crate) class: Plan<1>,
}

impl StackPlans {
    pub(crate) const TRUNCATED: Column<bool> = Column::at(0);
    pub(crate) const FRAMES: Column<Inline> = Column::at(1);
    /// Columns of frames.
    pub(crate) const METHOD: Column<ConstantKey> = Column::at(0);
    pub(crate) const LINE: Column<i64> = Column::at(1);
    /// Columns of methods.
    pub(crate) const CLASS: Column<ConstantKey> = Column::at(0);
    pub(crate) const NAME: Column<ConstantKey> = Column::at(1);
    pub(crate) const DESCRIPTOR: Column<ConstantKey> = Column::at(2);

    /// The type of frames, if they have their own pool.
    pub(crate) fn frame_pool(&self) -> Option<TypeId> {
        self.pooled_frames.then_some(self.frame_type)
    }

    /// `None` if the stack trace type contains no frames.
    pub(crate) fn new(chunk: &Chunk<'_>, trace: Type<'_>) -> Result<Option<Self>> {
        let Some(frames) = trace.field("frames").filter(|f| f.is_array()) else { return Ok(None) };
        let Some(frame) = frames.value_type() else { return Ok(None) };
        let (Some(method_field), varints) = (frame.field("method"), frame.varints()) else { return Ok(None) };
        let Some(method) = method_field.value_type() else { return Ok(None) };
        let class = method.field("type").and_then(|f| f.value_type());
        Ok(Some(Self {
            trace_type: trace.id(),
            trace: Plan::open_ended(trace, ["truncated", "frames"], chunk.limits())?,
            frame_type: frame.id(),
            pooled_frames: frames.is_pooled(),
            frame: Plan::whole(frame, ["method", "lineNumber"], chunk.limits())?,
            varints: varints.filter(|_| !frames.is_pooled()),
            places: places(frame),
            method_type: method.id(),
            method: chunk.plan(method, ["type", "name", "descriptor"])?,
            class: class.map(|of| ClassPlan::new(chunk, of)).transpose()?,
        }))
    }
}

impl ClassPlan {
    pub(crate) const NAME: Column<Text> = Column::at(0);

    pub(crate) fn new(chunk: &Chunk<'_>, of: Type<'_>) -> Result<Self> {
        Ok(Self { class_type: of.id(), class: chunk.plan(of, ["name"])? })
    }
}

fn places(frame: Type<'_>) -> Option<[usize; 2]> {
    let place = |name: &str| frame.fields().zip(0..).find(|(field, _)| field.name() == name);
    let (method, line) = (place("method")?, place("lineNumber")?);
    let is_int = line.0.value_type()?.kind() == Kind::Int && !line.0.is_unsigned() && !line.0.is_pooled();
    (method.0.is_pooled() && is_int).then_some([method.1, line.1])
}
