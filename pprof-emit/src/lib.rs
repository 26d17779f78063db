//! Writes and reads pprof profiles and collapsed stacks.
