//! How fast each path of the emulator is: instructions a second of loops that stay on it. `cargo xtask bench-compare` holds
//! them against the stored ones.

use benches::{PROGRAMS, PROLOGUE_INSNS, REFERENCE, machine};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use machine::Until;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

/// Instructions of one measured run: long against an entry into the run loop.
const RUN_INSNS: u64 = 1_000_000;

/// What the host itself does in as many steps (Marsaglia's xorshift), as a measure of how fast it is just now.
fn reference() -> u64 {
    let mut v = black_box(1u64);
    for _ in 0..RUN_INSNS {
        v ^= v << 13;
        v ^= v >> 7;
        v ^= v << 17;
    }
    v
}

/// How long something took, of the processor's time where Linux tells it: other work on the machine does not count then.
fn timed(mut f: impl FnMut()) -> Duration {
    let (wall, processor) = (Instant::now(), processor_time());
    f();
    match processor.zip(processor_time()) {
        Some((from, to)) => to.saturating_sub(from),
        None => wall.elapsed(),
    }
}

/// What this thread has had of the processor.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

fn guest_code(c: &mut Criterion) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut group = c.benchmark_group("guest code");
    group.throughput(Throughput::Elements(RUN_INSNS));
    group.sample_size(20);
    group.bench_function(REFERENCE, |b| {
        b.iter_custom(|n| timed(|| (0..n).for_each(|_| _ = black_box(reference()))));
    });
    for program in PROGRAMS {
        let mut guest = machine(program, folder).expect("the machine is sound");
        let mut end = PROLOGUE_INSNS;
        guest.run(Until::insns(end), None);
        group.bench_function(program.name, |b| {
            b.iter_custom(|n| {
                end += n * RUN_INSNS;
                timed(|| _ = guest.run(Until::insns(end), None))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, guest_code);
criterion_main!(benches);
