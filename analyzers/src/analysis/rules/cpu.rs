//! CPU, method profile, compiler.

mod code_cache;
mod compare_cpu;
mod few_sampled_threads;
mod high_jvm_cpu;
mod load;
mod method_profiling;

pub use code_cache::CodeCache;
pub use compare_cpu::CompareCpu;
pub use few_sampled_threads::FewSampledThreads;
pub use high_jvm_cpu::HighJvmCpu;
pub use method_profiling::MethodProfiling;

use super::boxed;
use crate::analysis::rule::Rule;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![MethodProfiling, HighJvmCpu, CompareCpu, FewSampledThreads, CodeCache]
}
