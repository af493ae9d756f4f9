use super::*;
use emu_core::testkit::{Bench, Lines, conformance, golden};

/// 2026-11-21 02:27:33 UTC, a Saturday.
const START: u64 = 1_795_228_053;
const SECOND: u64 = 1_000_000_000;

fn make_at(start: u64) -> impl Fn(&mut Lines<'_>) -> Mc146818 {
    move |lines| {
        let config = Config {
            start_unix_seconds: start,
            cmos: vec![(0x10, 0x40), (0x80 + 0x21, 0x99)],
        };
        let wiring = Wiring {
            irq: lines.line("IRQ"),
            nmi_mask: lines.line("NMI mask"),
        };
        Mc146818::new(wiring, &config)
    }
}

fn bench() -> Bench<Mc146818> {
    Bench::new(make_at(START))
}

fn get(b: &mut Bench<Mc146818>, at: usize) -> u8 {
    b.outb(0x70, at as u8);
    b.inb(0x71)
}

fn set(b: &mut Bench<Mc146818>, at: usize, value: u8) {
    b.outb(0x70, at as u8);
    b.outb(0x71, value);
}

fn time(b: &mut Bench<Mc146818>) -> [u8; 7] {
    [9, 8, 7, 6, 4, 2, 0].map(|at| get(b, at))
}

fn irq(b: &Bench<Mc146818>) -> bool {
    b.level(b.device.wiring.irq)
}

/// A clock set to a time: year, month, date, day, hours, minutes, seconds as they stand in the registers.
fn set_to(b: &mut Bench<Mc146818>, register_b: u8, values: [u8; 7]) {
    set(b, 0x0B, 0x80 | register_b);
    for (at, value) in [9, 8, 7, 6, 4, 2, 0].into_iter().zip(values) {
        set(b, at, value);
    }
    set(b, 0x0B, register_b);
}

#[test]
fn a_clock_keeps_the_laws_of_devices() {
    conformance(make_at(START));
}

#[test]
fn it_starts_at_the_time_given() {
    let mut b = bench();
    assert_eq!(time(&mut b), [0x26, 0x11, 0x21, 7, 0x02, 0x27, 0x33]);
    assert_eq!(get(&mut b, 0x32), 0x20);
    let mut b = Bench::new(make_at(0));
    assert_eq!(time(&mut b), [0x70, 0x01, 0x01, 5, 0, 0, 0]);
    assert_eq!(get(&mut b, 0x32), 0x19);
    // 2000-02-29 23:59:59, a Tuesday.
    let mut b = Bench::new(make_at(951_868_799));
    assert_eq!(time(&mut b), [0x00, 0x02, 0x29, 3, 0x23, 0x59, 0x59]);
    b.advance_ns(SECOND);
    assert_eq!(time(&mut b), [0x00, 0x03, 0x01, 4, 0, 0, 0]);
}

#[test]
fn a_day_has_86400_seconds() {
    let mut b = bench();
    b.advance_ns(86_400 * SECOND);
    assert_eq!(time(&mut b), [0x26, 0x11, 0x22, 1, 0x02, 0x27, 0x33]);
}

#[test]
fn years_roll_over_and_leap_years_have_a_29th_of_february() {
    let mut b = bench();
    set_to(&mut b, 0x02, [0x99, 0x12, 0x31, 6, 0x23, 0x59, 0x59]);
    b.advance_ns(SECOND);
    assert_eq!(time(&mut b), [0x00, 0x01, 0x01, 7, 0, 0, 0]);
    set_to(&mut b, 0x02, [0x27, 0x02, 0x28, 1, 0x23, 0x59, 0x59]);
    b.advance_ns(SECOND);
    assert_eq!(time(&mut b), [0x27, 0x03, 0x01, 2, 0, 0, 0]);
}

#[test]
fn the_century_counts_on_when_the_year_goes_from_99_to_00() {
    // 24 hours, BCD: 1999-12-31 23:59:59, a Friday.
    let mut b = bench();
    set(&mut b, 0x32, 0x19);
    set_to(&mut b, 0x02, [0x99, 0x12, 0x31, 6, 0x23, 0x59, 0x59]);
    b.advance_ns(SECOND);
    assert_eq!(time(&mut b), [0, 1, 1, 7, 0, 0, 0]);
    assert_eq!(get(&mut b, 0x32), 0x20);
    // Binary: 2099 is followed by 2100, and no other year changes the century.
    let mut b = bench();
    set(&mut b, 0x32, 20);
    set_to(&mut b, 0x06, [98, 12, 31, 5, 23, 59, 59]);
    b.advance_ns(SECOND);
    assert_eq!((get(&mut b, 9), get(&mut b, 0x32)), (99, 20));
    set_to(&mut b, 0x06, [99, 12, 31, 6, 23, 59, 59]);
    b.advance_ns(SECOND);
    assert_eq!((get(&mut b, 9), get(&mut b, 0x32)), (0, 21));
}

#[test]
fn twelve_hour_mode_goes_from_11_am_to_12_pm_to_1_pm() {
    for (dm, last) in [(0x00, 0x59), (0x04, 59)] {
        let twelve = |h: u8| {
            if dm == 0 {
                ((h / 10) << 4) | (h % 10)
            } else {
                h
            }
        };
        for (from, to) in [
            (twelve(11), 0x80 | twelve(12)),
            (0x80 | twelve(12), 0x80 | 1),
            (0x80 | twelve(9), 0x80 | twelve(10)),
            (0x80 | twelve(11), twelve(12)),
            (twelve(12), 1),
        ] {
            let mut b = bench();
            set_to(&mut b, dm, [1, 1, 1, 2, from, last, last]);
            b.advance_ns(SECOND);
            let midnight = from == 0x80 | twelve(11);
            assert_eq!(
                time(&mut b),
                [
                    1,
                    1,
                    1 + u8::from(midnight),
                    2 + u8::from(midnight),
                    to,
                    0,
                    0
                ]
            );
        }
    }
}

#[test]
fn binary_mode_counts_in_binary() {
    let mut b = bench();
    set_to(&mut b, 0x06, [26, 9, 30, 4, 19, 59, 59]);
    b.advance_ns(SECOND);
    assert_eq!(time(&mut b), [26, 9, 30, 4, 20, 0, 0]);
}

#[test]
fn uip_rises_244_us_before_an_update_and_falls_1984_us_after_its_begin() {
    let mut b = bench();
    // The first update begins half a second after power-on.
    b.advance_ns(SECOND / 2 - 244_200);
    assert_eq!(get(&mut b, 0x0A), 0x26);
    b.advance_ns(100);
    assert_eq!(get(&mut b, 0x0A), 0xA6);
    b.advance_ns(244_100 + 1_983_600);
    assert_eq!((get(&mut b, 0x0A), get(&mut b, 0)), (0xA6, 0x33));
    assert_eq!(get(&mut b, 0x0C), 0x40);
    b.advance_ns(100);
    assert_eq!((get(&mut b, 0x0A), get(&mut b, 0)), (0x26, 0x34));
    assert_eq!(get(&mut b, 0x0C) & 0x10, 0x10);
}

#[test]
fn set_stops_updates_clears_uip_and_disables_the_update_interrupt() {
    let mut b = bench();
    set(&mut b, 0x0B, 0x12);
    b.advance_ns(SECOND / 2);
    assert_eq!(get(&mut b, 0x0A) & 0x80, 0x80);
    set(&mut b, 0x0B, 0x92);
    assert_eq!(get(&mut b, 0x0B), 0x82);
    assert_eq!(get(&mut b, 0x0A) & 0x80, 0);
    b.advance_ns(10 * SECOND);
    assert_eq!(get(&mut b, 0), 0x33);
    set(&mut b, 0x0B, 0x02);
    b.advance_ns(SECOND);
    assert_eq!(get(&mut b, 0), 0x34);
}

#[test]
fn the_divider_starts_half_a_second_before_its_first_update() {
    let mut b = bench();
    set(&mut b, 0x0A, 0x76);
    b.advance_ns(7 * SECOND);
    assert_eq!(get(&mut b, 0), 0x33);
    set(&mut b, 0x0A, 0x26);
    b.advance_ns(SECOND / 2 + 1_984_000);
    assert_eq!(get(&mut b, 0), 0x34);
}

#[test]
fn a_divider_for_the_4_mhz_crystal_runs_128_times_slower() {
    let mut b = bench();
    set(&mut b, 0x0A, 0x76);
    set(&mut b, 0x0A, 0x06);
    b.advance_ns(63 * SECOND);
    assert_eq!(get(&mut b, 0), 0x33);
    b.advance_ns(2 * SECOND);
    assert_eq!(get(&mut b, 0), 0x34);
}

#[test]
fn the_update_interrupt_lasts_until_register_c_is_read() {
    let mut b = bench();
    set(&mut b, 0x0A, 0x20);
    set(&mut b, 0x0B, 0x12);
    b.advance_ns(SECOND);
    assert!(irq(&b));
    assert_eq!(get(&mut b, 0x0C), 0x90);
    assert!(!irq(&b));
    assert_eq!(get(&mut b, 0x0C), 0);
}

#[test]
fn flags_are_set_without_their_enables_and_interrupt_once_enabled() {
    let mut b = bench();
    b.advance_ns(SECOND);
    assert!(!irq(&b));
    set(&mut b, 0x0B, 0x42);
    assert!(irq(&b));
    assert_eq!(get(&mut b, 0x0C), 0xD0);
}

#[test]
fn an_alarm_matches_its_three_bytes_or_any_value_from_c0_on() {
    let mut b = bench();
    set(&mut b, 0x0A, 0x20);
    for (at, value) in [(5, 0x02), (3, 0x28), (1, 0x00)] {
        set(&mut b, at, value);
    }
    set(&mut b, 0x0B, 0x22);
    b.advance_ns(26 * SECOND);
    assert!(!irq(&b));
    b.advance_ns(SECOND);
    assert!(irq(&b));
    assert_eq!(get(&mut b, 0x0C), 0xB0);
    // Every minute, at second 00.
    set(&mut b, 5, 0xC0);
    set(&mut b, 3, 0xFF);
    b.advance_ns(59 * SECOND);
    assert!(!irq(&b));
    b.advance_ns(SECOND);
    assert!(irq(&b));
}

#[test]
fn periodic_interrupts_come_at_the_rate_of_table_5() {
    for (rate, hz) in [
        (1u8, 256u64),
        (2, 128),
        (3, 8192),
        (4, 4096),
        (6, 1024),
        (10, 64),
        (15, 2),
    ] {
        let mut b = bench();
        set(&mut b, 0x0A, 0x20 | rate);
        get(&mut b, 0x0C);
        set(&mut b, 0x0B, 0x42);
        let mut seen = 0;
        let end = VirtTime::from_ns(SECOND);
        while b.now() < end {
            let next = b.armed(TIMER_PERIODIC).map_or(end, |t| t.min(end));
            b.advance_ns(next.since(b.now()));
            if irq(&b) {
                seen += 1;
                assert_eq!(get(&mut b, 0x0C) & 0xC0, 0xC0);
            }
        }
        assert_eq!(seen, hz, "rate {rate}");
    }
    let mut b = bench();
    set(&mut b, 0x0A, 0x20);
    get(&mut b, 0x0C);
    b.advance_ns(SECOND);
    assert_eq!(get(&mut b, 0x0C) & 0x40, 0, "rate 0 is none");
}

#[test]
fn daylight_saving_moves_the_last_sundays_of_april_and_october() {
    let mut b = bench();
    set_to(&mut b, 0x03, [0x86, 0x04, 0x27, 1, 0x01, 0x59, 0x59]);
    b.advance_ns(SECOND);
    assert_eq!(time(&mut b), [0x86, 0x04, 0x27, 1, 0x03, 0, 0]);
    set_to(&mut b, 0x03, [0x86, 0x10, 0x26, 1, 0x01, 0x59, 0x59]);
    b.advance_ns(SECOND);
    assert_eq!(time(&mut b), [0x86, 0x10, 0x26, 1, 0x01, 0, 0]);
    b.advance_ns(3600 * SECOND);
    assert_eq!(time(&mut b), [0x86, 0x10, 0x26, 1, 0x02, 0, 0], "only once");
    set_to(&mut b, 0x03, [0x86, 0x04, 0x20, 1, 0x01, 0x59, 0x59]);
    b.advance_ns(SECOND);
    assert_eq!(time(&mut b)[4], 0x02, "not the last Sunday");
}

#[test]
fn ram_and_the_second_bank_keep_their_bytes() {
    let mut b = bench();
    assert_eq!(get(&mut b, 0x10), 0x40);
    b.outb(0x72, 0x21);
    assert_eq!(b.inb(0x73), 0x99);
    for at in 0x0E..0x80 {
        set(&mut b, at, at as u8 ^ 0xA5);
        b.outb(0x72, at as u8);
        b.outb(0x73, at as u8 ^ 0x5A);
    }
    b.reset(ResetKind::Hard);
    for at in 0x0E..0x80 {
        assert_eq!(get(&mut b, at), at as u8 ^ 0xA5);
        b.outb(0x72, at as u8);
        assert_eq!(b.inb(0x73), at as u8 ^ 0x5A);
    }
}

#[test]
fn read_only_bits_stay() {
    let mut b = bench();
    set(&mut b, 0x0C, 0xFF);
    set(&mut b, 0x0D, 0x00);
    assert_eq!((get(&mut b, 0x0C), get(&mut b, 0x0D)), (0, 0x80));
    set(&mut b, 0x0B, 0x82);
    set(&mut b, 0, 0xFF);
    assert_eq!(get(&mut b, 0), 0x7F);
    set(&mut b, 0x0A, 0xA6);
    assert_eq!(get(&mut b, 0x0A), 0x26);
}

#[test]
fn port_70_masks_nmi_and_cannot_be_read() {
    let mut b = bench();
    let line = b.device.wiring.nmi_mask;
    assert!(b.level(line), "masked at power-on");
    b.outb(0x70, 0x0D);
    assert!(!b.level(line));
    b.outb(0x70, 0x8D);
    assert!(b.level(line));
    assert_eq!(b.inb(0x71), 0x80, "bit 7 is no part of the index");
    assert_eq!(b.inb(0x70), 0xFF);
}

#[test]
fn reset_clears_enables_and_flags_and_keeps_the_time() {
    let mut b = bench();
    set(&mut b, 0x0B, 0x7E);
    b.advance_ns(SECOND);
    assert!(irq(&b));
    b.reset(ResetKind::Hard);
    assert!(!irq(&b));
    assert_eq!((get(&mut b, 0x0B), get(&mut b, 0x0C)), (0x06, 0));
}

#[test]
fn a_state_saved_by_version_1_still_loads() {
    golden(
        make_at(START),
        concat!(env!("CARGO_MANIFEST_DIR"), "/src/mc146818"),
    );
}
