//! Shared by the benchmarks: the recording to measure, and profiles of a made-up program.
//!
//! The benchmarks themselves are in `benches/benches/`, one file each, and programs to compare with in
//! `src/bin/`. `measure.py` measures whole processes, `serve.py` the server, `spark.py` the Spark data source.
//! Limits on time or memory that a test must enforce belong in `testkit/tests`, results in
//! `docs/performance.md`. Start with `benches/benches/stages.rs`.

use std::path::PathBuf;

use jfrkit_profile::{
    Frame, Function, Interner, Label, LabelSetId, LabelValue, Profile, ProfileSet, ProfileType, Samples,
};

/// The recording to measure, from the environment variable `JFRKIT_BENCH_FILE`, or a fixture. Afterward,
/// recordings are mapped when they are opened, as in the command.
#[must_use]
pub fn recording() -> PathBuf {
    // If that fails, the time for reading is included.
    // SAFETY: nobody writes to the recordings of a benchmark.
    #[expect(unsafe_code, reason = "files are mapped, as by the command")]
    let _ = unsafe { jfr_parse::guard_maps() };
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-multichunk.jfr");
    std::env::var_os("JFRKIT_BENCH_FILE").map_or_else(|| fixture.into(), PathBuf::from)
}

/// Pseudorandom numbers that are the same in every run (splitmix64).
#[derive(Debug)]
pub struct Random(pub u64);

impl Random {
    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound.max(1)
    }

    /// Small numbers far more often than large ones, like method numbers in stacks.
    pub fn skewed(&mut self, bound: u64) -> u64 {
        let below = self.below(bound) + 1;
        self.below(below)
    }
}

/// The functions of the made-up program.
const FUNCTIONS: u64 = 40_000;

/// The CPU profile of a made-up program: `count` stacks of 30 to 66 frames, with a thread each. The program is the same for all
/// seeds, and the seed determines which stacks were sampled.
///
/// A function calls the same function 97 times out of 100, otherwise one of eight others. With that, the trees are as large as
/// those of Spark: 40,000 samples have 335,268 nodes (38,414 stacks of a recording have 323,069).
#[must_use]
pub fn made_up(count: u64, seed: u64) -> ProfileSet {
    let mut random = Random(seed);
    let interner = Interner::new();
    let (frames, threads): (Vec<_>, Vec<LabelSetId>) = {
        let mut symbols = interner.symbols();
        let frames = (0..FUNCTIONS)
            .map(|i| {
                let class = format!("org.example.area{}.part{}.Component{}", i % 13, i % 101, i / 9);
                let name = format!("{class}.operation{}", i % 9);
                let function = Function {
                    name: symbols.string(&name),
                    system_name: symbols.string(&format!("{name}(Ljava/lang/Object;I)Lorg/example/Result{};", i % 7)),
                    file: symbols.string(&format!("Component{}.java", i / 9)),
                    library: symbols.string(""),
                };
                let function = symbols.function_id(function);
                symbols.frame_id(Frame { function, line: 20 })
            })
            .collect();
        let threads = (0..20)
            .map(|i| {
                let value = LabelValue::Text(symbols.string(&format!("worker-{i}")));
                symbols.label_set(&[Label { key: "thread", value }])
            })
            .collect();
        (frames, threads)
    };
    let mut samples = Samples::new(2);
    let mut stack = Vec::new();
    for _ in 0..count {
        stack.clear();
        let mut function = 0_u64;
        for _ in 0..30 + random.below(37) {
            let callee = if random.below(100) < 97 { 0 } else { 1 + random.skewed(8) };
            // Any fixed function of caller and callee.
            function = Random(function * 16 + callee).below(FUNCTIONS);
            stack.extend(usize::try_from(function).ok().and_then(|i| frames.get(i)));
        }
        stack.reverse();
        let thread = usize::try_from(random.skewed(20)).ok().and_then(|i| threads.get(i)).copied().unwrap_or_default();
        let seen = i64::try_from(1 + random.skewed(4)).unwrap_or(1);
        samples.push(interner.stack(&stack), thread, &[seen, seen * 20_000_000]);
    }
    set_of(samples, interner)
}

/// A CPU profile of a minute.
#[must_use]
pub fn set_of(samples: Samples, interner: Interner) -> ProfileSet {
    let profile = Profile {
        kind: ProfileType::Cpu,
        samples,
        time_nanos: 1_700_000_000_000_000_000,
        duration_nanos: 60_000_000_000,
        period: None,
        coverage: None,
        comments: Vec::new(),
        main: None,
        timeline: None,
    };
    ProfileSet {
        tables: interner.freeze().into(),
        profiles: vec![profile],
        absent: Vec::new(),
        losses: Vec::new(),
        warnings: Vec::new(),
    }
}

/// The CPU profile of the recording in `JFRKIT_BENCH_FILE`, or of the made-up program, as a pprof file.
///
/// # Errors
/// If the recording cannot be read, or has no CPU profile.
pub fn cpu_profile() -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let set = if std::env::var_os("JFRKIT_BENCH_FILE").is_some() {
        let mut options = jfr_analyzers::Options::default();
        options.types = vec![ProfileType::Cpu];
        options.labels = vec![jfr_analyzers::LabelKey::Thread];
        jfr_analyzers::collect(&jfr_parse::Recording::open(recording())?, &options)?
    } else {
        made_up(40_000, 0)
    };
    let profile = set.profiles.first().ok_or("the recording has no CPU profile")?;
    Ok(pprof_emit::to_bytes(profile, &set.tables, &pprof_emit::Options::default())?)
}

/// Pprof files of as many runs of the made-up program, each with 1,500 stacks: a minute of a busy service.
pub fn typical(count: u64) -> impl Iterator<Item = Vec<u8>> {
    (1..=count).map(|seed| {
        let set = made_up(1_500, seed);
        let bytes = |profile| pprof_emit::to_bytes(profile, &set.tables, &pprof_emit::Options::default());
        set.profiles.first().and_then(|profile| bytes(profile).ok()).unwrap_or_default()
    })
}
