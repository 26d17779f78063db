//! What everything that reads recordings shares: who reads which chunk when ([`driver`]), what metadata alone decides
//! ([`plans`], [`stack_plans`]), and what stack traces and methods mean ([`stacks`], [`functions`]).
//!
//! What is done with the events of a chunk does not belong here: that is up to the consumers, such as
//! `profiles` and `events::read`. Start with [`driver::run`].

pub(crate) mod driver;
pub(crate) mod functions;
mod memo;
pub(crate) mod plans;
pub(crate) mod stack_plans;
pub(crate) mod stacks;
pub(crate) mod type_map;
