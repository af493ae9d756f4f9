use super::*;
use emu_core::testkit::{Bench, conformance, golden};

fn says(word: &[u8]) -> bool {
    let mut b = Bench::new(|_| BochsShutdown::new());
    for &byte in word {
        b.outb(0x8900, byte);
    }
    b.take_requests().power_off
}

#[test]
fn a_shutdown_port_keeps_the_laws_of_devices() {
    conformance(|_| BochsShutdown::new());
}

#[test]
fn only_the_whole_word_switches_off() {
    assert!(says(b"Shutdown"));
    assert!(says(b"ShutShutdown"));
    assert!(says(b"SShutdown"));
    assert!(!says(b"Shutdow"));
    assert!(!says(b"shutdown"));
    assert!(!says(b"Shut down"));
}

#[test]
fn a_state_saved_by_version_1_still_loads() {
    golden(
        |_| BochsShutdown::new(),
        concat!(env!("CARGO_MANIFEST_DIR"), "/src/bochs_shutdown"),
    );
}
