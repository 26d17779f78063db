//! Long calls end soon after they are stopped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod hostile;
mod uses;

use std::io::Write;
use std::time::{Duration, Instant};

use jfr_analyzers::{Options, Progress, collect};
use jfr_parse::{Error, OpenOptions, Recording, Stop, ValueReader, work};
use pprof_emit::write_pprof;
use uses::USES;

/// Many chunks, each with many samples of different stacks.
fn recording(chunks: usize, size: usize) -> Vec<u8> {
    let (_, make) = hostile::all().into_iter().find(|(name, _)| *name == "samples of different stacks").unwrap();
    hostile::copies(&make(size), chunks)
}

fn open<'a>(bytes: &'a [u8], stop: &Stop) -> jfr_parse::Result<Recording<'a>> {
    OpenOptions::new().stop(stop.clone()).from_bytes(bytes)
}

fn stopped<T: std::fmt::Debug>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::Stopped))
}

#[test]
fn nothing_starts_once_the_stop_is_raised() {
    let bytes = recording(2, 100_000);
    let stop = Stop::new();
    let opened = open(&bytes, &stop).unwrap();
    stop.raise();
    for of in USES {
        // First the recording's own stop is raised and the one in the options is not; then the reverse.
        assert!(stopped(of.run_until(&opened, &Stop::new())), "{}", of.name);
        let fresh = open(&bytes, &Stop::new()).unwrap();
        assert!(of.name == "summary" || stopped(of.run_until(&fresh, &stop)), "{}", of.name);
    }
    assert!(stopped(open(&bytes, &stop)));
    assert!(stopped(opened.chunk(0)));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&bytes).unwrap();
    assert!(stopped(open(&gzip.finish().unwrap(), &stop)));
    assert!(stopped(OpenOptions::new().stop(stop.clone()).from_reader(&bytes[..])));
}

#[test]
fn reading_events_and_writing_profiles_end_too() {
    let bytes = recording(1, 100_000);
    let stop = Stop::new();
    let opened = open(&bytes, &stop).unwrap();
    let chunk = opened.chunk(0).unwrap();
    let reader = ValueReader::new(&chunk);
    let event = chunk.events().next().unwrap();
    let set = collect(&opened, &Options::default()).unwrap();
    assert!(reader.event(&event).is_ok());
    stop.raise();
    assert!(stopped(reader.event(&event)));
    let options =
        pprof_emit::Options { cancel: jfrkit_profile::Cancel::when(move || stop.is_raised()), ..Default::default() };
    let error = write_pprof(&set.profiles[0], &set.tables, std::io::sink(), &options).unwrap_err();
    assert!(error.get_ref().is_some_and(|e| matches!(e.downcast_ref(), Some(jfrkit_profile::Canceled))), "{error}");
}

#[test]
fn running_work_ends_within_a_chunk() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let bytes = recording(20, 100_000);
    let units = |stop_after: usize| {
        pool.install(|| {
            let stop = Stop::new();
            let opened = open(&bytes, &stop).unwrap();
            let done = std::sync::atomic::AtomicUsize::new(1);
            let mut options = Options::default();
            options.progress = Progress::new(move |_| {
                if done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == stop_after {
                    stop.raise();
                }
            });
            work::count(|| collect(&opened, &options).map(|_| ()))
        })
    };
    let (whole, all) = units(usize::MAX);
    let (result, some) = units(1);
    assert!(whole.is_ok() && stopped(result));
    assert!(some * 10 < all, "{some} of {all} units");
}

#[test]
fn a_flag_from_another_thread_and_a_deadline_end_a_long_call() {
    // Takes many seconds in a test build.
    let bytes = recording(40, 4 << 20);
    for of in USES {
        for deadline in [true, false] {
            let stop = if deadline { Stop::after(Duration::from_millis(30)) } else { Stop::new() };
            let opened = open(&bytes, &Stop::new()).unwrap();
            let own = if of.name == "summary" { open(&bytes, &stop) } else { Ok(opened) };
            let began = Instant::now();
            let result = std::thread::scope(|scope| {
                let raiser = stop.clone();
                scope.spawn(move || {
                    if !deadline {
                        std::thread::sleep(Duration::from_millis(30));
                        raiser.raise();
                    }
                });
                own.and_then(|recording| of.run_until(&recording, &stop))
            });
            assert!(stopped(result), "{}", of.name);
            assert!(began.elapsed() < Duration::from_secs(5), "{}: {:?}", of.name, began.elapsed());
        }
    }
}
