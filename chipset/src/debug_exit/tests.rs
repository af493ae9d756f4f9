use super::*;
use emu_core::testkit::{Bench, conformance, golden};

#[test]
fn a_debug_exit_keeps_the_laws_of_devices() {
    conformance(|_| DebugExit::new(spec::PORT));
}

#[test]
fn the_exit_code_is_twice_the_value_plus_one() {
    let mut b = Bench::new(|_| DebugExit::new(spec::PORT));
    for (width, value, code) in [
        (Width::Byte, 0x00, 0x01),
        (Width::Byte, 0x10, 0x21),
        (Width::Dword, 0x1_0031, 0x63),
        (Width::Word, 0xFF, 0xFF),
    ] {
        b.write(0xF4, width, value);
        assert_eq!(b.take_requests().exit, Some(code));
    }
    assert_eq!(b.inb(0xF4), 0xFF);
    assert_eq!(b.take_requests().exit, None);
}

#[test]
fn a_state_saved_by_version_1_still_loads() {
    golden(
        |_| DebugExit::new(spec::PORT),
        concat!(env!("CARGO_MANIFEST_DIR"), "/src/debug_exit"),
    );
}
