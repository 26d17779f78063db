//! Memory that uploads take, measured by a counting allocator.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr, unreachable_pub)]

#[path = "common/mod.rs"]
mod common;
#[path = "../../testkit/src/memory.rs"]
#[allow(dead_code)]
mod counting;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use common::*;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting::new();

const MIB: usize = 1 << 20;

/// A single test, so that nothing else allocates at the same time.
#[test]
fn memory_is_bounded() {
    // Without workers, because this measures how uploads are received.
    many_large_uploads_at_once();
    bombs();
}

fn many_large_uploads_at_once() {
    let running = Running::with(|o| o.workers = 1);
    let warm = running.post("/api/v1/recordings?service=warm", "", b"no profile").id();
    running.ready(&warm);
    let piece = vec![0x55u8; 64 << 10];
    let before = ALLOCATOR.restart();
    let size = 4 * MIB;
    std::thread::scope(|scope| {
        for n in 0..64 {
            let (piece, address) = (&piece, &running.address);
            scope.spawn(move || {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
                let head = format!("POST /api/v1/recordings?service=s{n} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n");
                stream.write_all(head.as_bytes()).unwrap();
                for _ in 0..size / piece.len() {
                    stream.write_all(piece).unwrap();
                }
                let mut answer = Vec::new();
                stream.read_to_end(&mut answer).unwrap();
                assert_eq!(parse(&answer).status, 200);
            });
        }
    });
    let took = ALLOCATOR.peak() - before;
    eprintln!("64 uploads of 4 MiB at once: {} KiB", took >> 10);
    // 256 MiB arrived; a worker held one of them, and each of 64 requests has buffers of at most 256 KiB.
    assert!(took < 64 * (256 << 10) + 3 * size + 8 * MIB, "{} MiB", took >> 20);
}

fn bombs() {
    let zeros = vec![0u8; 256 * MIB];
    let packed = gzip(&zeros);
    drop(zeros);
    let running = Running::with(|o| o.workers = 1);
    let warm = running.post("/api/v1/recordings?service=warm", "", b"no profile").id();
    running.ready(&warm);
    let before = ALLOCATOR.restart();
    let id = running.post("/api/v1/recordings?service=bomb", "", &packed).id();
    assert_eq!(running.ready(&id)["status"], "failed");
    let answer = running.post("/profiling/v1/input", &format!("{FORM}Content-Encoding: gzip\r\n"), &packed);
    assert!(matches!(answer.status, 400 | 413), "{} {}", answer.status, answer.text());
    let took = ALLOCATOR.peak() - before;
    eprintln!("a bomb of {} KiB that decompresses to 256 MiB: {} MiB", packed.len() >> 10, took >> 20);
    // A compressed byte may expand to a hundred, and a growing buffer doubles.
    assert!(took < 250 * packed.len() + 16 * MIB, "{} MiB", took >> 20);
}
