use super::*;
use emu_core::host::CharLog;
use emu_core::testkit::{Bench, conformance, golden};

#[test]
fn a_debug_console_keeps_the_laws_of_devices() {
    conformance(|_| Debugcon::new(spec::PORT, Box::new(CharLog::default())));
}

#[test]
fn characters_reach_the_back_end_and_reads_give_e9() {
    for port in [spec::PORT, spec::SEABIOS_PORT] {
        let log = CharLog::default();
        let mut b = Bench::new(|_| Debugcon::new(port, Box::new(log.clone())));
        b.outb(port, b'h');
        b.outb(port, b'i');
        assert_eq!(log.bytes(), b"hi");
        assert_eq!(b.inb(port), 0xE9);
        assert_eq!(b.inb(port + 1), 0xFF);
    }
}

#[test]
fn a_state_saved_by_version_1_still_loads() {
    golden(
        |_| Debugcon::new(spec::PORT, Box::new(CharLog::default())),
        concat!(env!("CARGO_MANIFEST_DIR"), "/src/debugcon"),
    );
}
