use super::*;
use emu_core::time::NS_PER_SECOND;

/// Nanoseconds that `n` clocks of `hz` take, rounded up.
fn clocks(n: u64, hz: u64) -> u64 {
    (n * NS_PER_SECOND).div_ceil(hz)
}

#[test]
fn the_standard_modes_have_their_published_rates() {
    // (mode, clock, dots of a line, lines): 70.09 Hz for 400 lines, 59.94 Hz for 480.
    for (mode, hz, dots, lines) in [
        (mode_03(), 28_322_000, 900, 449),
        (mode_13(), 25_175_000, 800, 449),
        (mode_12(), 25_175_000, 800, 525),
    ] {
        let mut b = isa();
        b.set_mode(&mode);
        b.run_to_next_timer();
        let first = b.now().as_ns();
        for _ in 0..10 {
            b.run_to_next_timer();
        }
        let ten = b.now().as_ns() - first;
        assert!(ten.abs_diff(clocks(10 * dots * lines, hz)) <= 1);
    }
}

#[test]
fn each_frame_is_announced_once_at_the_start_of_vertical_retrace() {
    let mut b = isa();
    b.set_mode(&mode_12());
    b.take_requests();
    b.run_to_next_timer();
    assert!(b.take_requests().frame_ready);
    assert_eq!(b.inb(0x3DA) & 0x08, 0x08);
    // Vertical retrace lasts from line 490 to 491 (EAh with bit 8 from overflow; end 8Ch).
    b.advance_ns(clocks(2 * 800, 25_175_000) - 3);
    assert_eq!(b.inb(0x3DA) & 0x08, 0x08);
    b.advance_ns(6);
    assert_eq!(b.inb(0x3DA) & 0x08, 0x00);
    assert!(!b.take_requests().frame_ready);
}

#[test]
fn display_enable_follows_the_line() {
    let mut b = isa();
    b.set_mode(&mode_12());
    b.run_to_next_timer();
    // From the retrace at line 490 to the next frame are 35 lines; 640 of 800 dots are displayed.
    b.advance_ns(clocks(35 * 800, 25_175_000) + 100);
    assert_eq!(b.inb(0x3DA) & 0x09, 0x00);
    b.advance_ns(clocks(640, 25_175_000));
    assert_eq!(b.inb(0x3DA) & 0x09, 0x01);
    b.advance_ns(clocks(160, 25_175_000));
    assert_eq!(b.inb(0x3DA) & 0x09, 0x00);
    b.advance_ns(clocks(480 * 800, 25_175_000));
    assert_eq!(b.inb(0x3DA) & 0x09, 0x01);
}

#[test]
fn the_vertical_interrupt_is_latched_until_it_is_cleared() {
    let mut b = Bench::new(|lines| card(Slot::Isa, lines));
    let line = b.device.interrupt;
    b.set_mode(&mode_12());
    b.run_to_next_timer();
    assert!(!b.level(line));
    b.crtc(0x11, 0x0C);
    b.crtc(0x11, 0x1C);
    assert_eq!(b.inb(0x3C2) & 0x80, 0);
    b.run_to_next_timer();
    assert!(b.level(line));
    assert_eq!(b.inb(0x3C2) & 0x80, 0x80);
    b.crtc(0x11, 0x0C);
    assert!(!b.level(line));
    assert_eq!(b.inb(0x3C2) & 0x80, 0);
    b.crtc(0x11, 0x3C);
    b.run_to_next_timer();
    assert!(!b.level(line), "disabled");
}

#[test]
fn status_1_shows_two_bits_of_the_dot_at_the_beam() {
    let mut b = isa();
    b.set_mode(&mode_13());
    b.device.vram.fill(0, 0x4_0000, 0b0110_0101);
    b.run_to_next_timer();
    let to_picture = clocks((449 - 412) * 800 + 20, 25_175_000);
    b.advance_ns(to_picture);
    for (select, expected) in [(0, 0b11), (1, 0b10), (2, 0b00), (3, 0b01)] {
        b.attribute(0x12, 0x0F | (select << 4));
        assert_eq!((b.inb(0x3DA) >> 4) & 3, expected, "select {select}");
    }
}

#[test]
fn switch_sense_falls_while_a_bright_dot_is_drawn() {
    let mut b = isa();
    b.set_mode(&mode_13());
    b.run_to_next_timer();
    b.advance_ns(clocks((449 - 412) * 800 + 20, 25_175_000));
    b.dac(0, [0x12, 0x12, 0x12]);
    assert_eq!(b.inb(0x3C2) & 0x10, 0x10);
    b.dac(0, [0x04, 0x30, 0x04]);
    assert_eq!(b.inb(0x3C2) & 0x10, 0x00);
}

#[test]
fn a_raster_of_a_few_dots_does_not_flood_the_board() {
    let mut b = isa();
    b.outb(0x3C2, 0x01);
    b.crtc(0x00, 0);
    let start = b.now();
    for _ in 0..10 {
        b.run_to_next_timer();
    }
    assert!(b.now().since(start) >= 10 * 2_000_000 - 2_000_000);
}
