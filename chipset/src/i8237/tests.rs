use super::*;
use emu_core::testkit::{Bench, conformance, golden};

fn bench() -> Bench<I8237Pair> {
    let mut b = Bench::new(|_| I8237Pair::new());
    b.outb(0xD6, 0xC0); // channel 4: cascade
    b.outb(0xD4, 0x00);
    b
}

fn set_word(b: &mut Bench<I8237Pair>, port: u16, value: u16) {
    b.outb(port, value as u8);
    b.outb(port, (value >> 8) as u8);
}

fn get_word(b: &mut Bench<I8237Pair>, port: u16) -> u16 {
    u16::from_le_bytes([b.inb(port), b.inb(port)])
}

/// Channel 2 as a floppy driver sets it up.
fn channel_2(b: &mut Bench<I8237Pair>, mode: u8, page: u8, address: u16, count: u16) {
    b.outb(0x0A, 0x06);
    b.outb(0x0C, 0x00);
    b.outb(0x0B, mode | 2);
    set_word(b, 0x04, address);
    set_word(b, 0x05, count);
    b.outb(0x81, page);
    b.outb(0x0A, 0x02);
}

fn grant(b: &mut Bench<I8237Pair>) -> Option<DmaCycle> {
    b.advance_ns(spec::CYCLE_NS);
    b.with(|d, cx| d.grant(cx))
}

fn all(b: &mut Bench<I8237Pair>) -> Vec<DmaCycle> {
    (0..70_000).map_while(|_| grant(b)).collect()
}

#[test]
fn the_dma_subsystem_keeps_the_laws_of_devices() {
    conformance(|_| I8237Pair::new());
}

#[test]
fn a_request_asks_for_the_bus_and_gives_one_cycle_at_a_time() {
    let mut b = bench();
    channel_2(&mut b, 0x44, 0x12, 0x3456, 1);
    assert!(!b.take_requests().dma);
    b.input(2, true);
    assert!(b.take_requests().dma);
    let cycle = grant(&mut b).expect("a cycle");
    assert_eq!(
        cycle,
        DmaCycle {
            channel: 2,
            transfer: DmaTransfer::WriteMemory,
            address: Gpa(0x12_3456),
            word: false,
            terminal_count: false,
        }
    );
    assert_eq!(b.with(|d, cx| d.grant(cx)), None, "the bus is not free yet");
    let free = b.armed(TIMER_CYCLE).expect("a timer");
    assert_eq!(free.since(b.now()), spec::CYCLE_NS);
    b.advance_ns(spec::CYCLE_NS);
    assert!(b.take_requests().dma);
    let last = b.with(|d, cx| d.grant(cx)).expect("a cycle");
    assert_eq!((last.address, last.terminal_count), (Gpa(0x12_3457), true));
    assert_eq!(grant(&mut b), None, "masked by terminal count");
    assert_eq!(b.inb(0x08), 0x44, "terminal count and request of channel 2");
    assert_eq!(b.inb(0x08), 0x40, "reading clears terminal counts");
    assert_eq!(get_word(&mut b, 0x05), 0xFFFF);
}

#[test]
fn addresses_wrap_inside_64k_and_count_down_on_demand() {
    let mut b = bench();
    channel_2(&mut b, 0x48, 0x01, 0xFFFF, 1);
    b.input(2, true);
    let seen: Vec<_> = all(&mut b).iter().map(|c| c.address.0).collect();
    assert_eq!(seen, [0x1_FFFF, 0x1_0000]);
    channel_2(&mut b, 0x68, 0x01, 0x0000, 1);
    let seen: Vec<_> = all(&mut b).iter().map(|c| c.address.0).collect();
    assert_eq!(seen, [0x1_0000, 0x1_FFFF]);
}

#[test]
fn word_channels_shift_their_address_and_wrap_inside_128k() {
    let mut b = bench();
    b.outb(0xD8, 0);
    b.outb(0xD6, 0x45); // channel 5, single, to memory
    set_word(&mut b, 0xC4, 0xFFFF);
    set_word(&mut b, 0xC6, 1);
    b.outb(0x8B, 0x13);
    b.outb(0xD4, 0x01);
    b.input(5, true);
    let cycles = all(&mut b);
    let seen: Vec<_> = cycles
        .iter()
        .map(|c| (c.channel, c.word, c.address.0))
        .collect();
    assert_eq!(seen, [(5, true, 0x13_FFFE), (5, true, 0x12_0000)]);
    b.outb(0xD8, 0);
    assert_eq!(b.inb(0xC5), 0x01, "odd ports are the even ones before them");
}

#[test]
fn auto_initialization_starts_anew_and_leaves_the_mask_clear() {
    let mut b = bench();
    channel_2(&mut b, 0x54, 0, 0x100, 2);
    b.input(2, true);
    let seen: Vec<_> = (0..5).filter_map(|_| grant(&mut b)).collect();
    let seen: Vec<_> = seen
        .iter()
        .map(|c| (c.address.0, c.terminal_count))
        .collect();
    assert_eq!(
        seen,
        [
            (0x100, false),
            (0x101, false),
            (0x102, true),
            (0x100, false),
            (0x101, false)
        ]
    );
}

#[test]
fn demand_mode_stops_with_the_request_and_block_mode_does_not() {
    let mut b = bench();
    channel_2(&mut b, 0x04, 0, 0, 9);
    b.input(2, true);
    grant(&mut b);
    b.input(2, false);
    assert_eq!(grant(&mut b), None);
    b.input(2, true);
    assert_eq!(all(&mut b).len(), 9);
    channel_2(&mut b, 0x84, 0, 0, 9);
    grant(&mut b);
    b.input(2, false);
    assert_eq!(all(&mut b).len(), 9);
}

#[test]
fn a_block_keeps_the_bus_from_higher_channels() {
    let mut b = bench();
    channel_2(&mut b, 0x84, 0, 0, 3);
    b.outb(0x0B, 0x45);
    set_word(&mut b, 0x03, 0);
    b.outb(0x0A, 0x01);
    b.input(2, true);
    grant(&mut b);
    b.input(1, true);
    b.input(2, false);
    let order: Vec<_> = all(&mut b).iter().map(|c| c.channel).collect();
    assert_eq!(order, [2, 2, 2, 1]);
}

#[test]
fn verify_counts_and_moves_nothing() {
    let mut b = bench();
    channel_2(&mut b, 0x40, 0, 0, 0);
    b.input(2, true);
    let cycle = grant(&mut b).expect("a cycle");
    assert_eq!(
        (cycle.transfer, cycle.terminal_count),
        (DmaTransfer::Verify, true)
    );
}

#[test]
fn lower_numbers_go_first_and_rotation_takes_turns() {
    for (command, order) in [(0x00, [1, 1, 1, 1]), (0x10, [1, 3, 1, 3])] {
        let mut b = bench();
        b.outb(0x08, command);
        b.outb(0x0B, 0x45);
        b.outb(0x0B, 0x47);
        b.outb(0x0C, 0);
        set_word(&mut b, 0x03, 100);
        set_word(&mut b, 0x07, 100);
        b.input(3, true);
        b.input(1, true);
        b.outb(0x0E, 0);
        let seen: Vec<_> = (0..4)
            .filter_map(|_| grant(&mut b))
            .map(|c| c.channel)
            .collect();
        assert_eq!(seen, order);
    }
    // Channels 0-3 come in through channel 4, before 5-7.
    let mut b = bench();
    b.outb(0xD6, 0x45);
    b.outb(0xD4, 0x01);
    channel_2(&mut b, 0x44, 0, 0, 0);
    b.input(5, true);
    b.input(2, true);
    assert_eq!(grant(&mut b).map(|c| c.channel), Some(2));
    assert_eq!(grant(&mut b).map(|c| c.channel), Some(5));
}

#[test]
fn masks_the_disable_bit_and_a_closed_cascade_hold_requests_back() {
    let mut b = bench();
    channel_2(&mut b, 0x54, 0, 0, 0);
    b.input(2, true);
    b.outb(0x0A, 0x06);
    assert_eq!(grant(&mut b), None);
    assert_eq!(b.inb(0x0F), 0x0F);
    b.outb(0x0F, 0x0B);
    assert!(grant(&mut b).is_some());
    b.outb(0x08, 0x04);
    assert_eq!(grant(&mut b), None);
    b.outb(0x08, 0x00);
    b.outb(0xD4, 0x04);
    assert_eq!(grant(&mut b), None);
    b.outb(0xD4, 0x00);
    assert!(grant(&mut b).is_some());
    b.outb(0xD6, 0x00);
    assert_eq!(grant(&mut b), None);
}

#[test]
fn requests_can_be_active_low() {
    let mut b = bench();
    channel_2(&mut b, 0x44, 0, 0, 5);
    b.outb(0x08, 0x40);
    assert!(grant(&mut b).is_some());
    b.input(2, true);
    assert_eq!(grant(&mut b), None);
}

#[test]
fn a_software_request_cannot_be_masked_and_ends_at_terminal_count() {
    let mut b = bench();
    channel_2(&mut b, 0x88, 0, 0x200, 2);
    b.outb(0x0A, 0x06);
    b.outb(0x09, 0x06);
    assert_eq!(b.inb(0x08), 0x40);
    assert_eq!(all(&mut b).len(), 3);
    assert_eq!(b.inb(0x08), 0x04);
}

#[test]
fn memory_to_memory_copies_a_block_through_the_temporary_register() {
    let mut b = bench();
    b.ram.write(0x1_1000, b"boxwood");
    b.outb(0x08, 0x01);
    b.outb(0x0B, 0x88);
    b.outb(0x0B, 0x85);
    b.outb(0x0C, 0);
    set_word(&mut b, 0x00, 0x1000);
    set_word(&mut b, 0x02, 0x2000);
    set_word(&mut b, 0x03, 6);
    b.outb(0x87, 1);
    b.outb(0x83, 2);
    b.outb(0x09, 0x04);
    assert_eq!(grant(&mut b), None);
    let mut copy = [0; 8];
    b.ram.read(0x2_2000, &mut copy);
    assert_eq!(&copy, b"boxwood\0");
    assert_eq!(b.inb(0x0D), b'd');
    assert_eq!(b.inb(0x08), 0x02);
    // With channel 0's address held, a block is filled.
    b.outb(0x08, 0x03);
    set_word(&mut b, 0x00, 0x1001);
    set_word(&mut b, 0x02, 0x3000);
    set_word(&mut b, 0x03, 3);
    b.outb(0x09, 0x04);
    grant(&mut b);
    b.ram.read(0x2_3000, &mut copy[..5]);
    assert_eq!(&copy[..5], b"oooo\0");
}

#[test]
fn master_clear_masks_everything_and_resets_the_flip_flop() {
    let mut b = bench();
    channel_2(&mut b, 0x44, 0, 0x1234, 5);
    b.outb(0x04, 0x99);
    b.outb(0x0D, 0);
    assert_eq!(b.inb(0x0F), 0x0F);
    assert_eq!(b.inb(0x04), 0x99);
    assert_eq!(b.inb(0x04), 0x12);
    assert_eq!((b.inb(0x09), b.inb(0x0B)), (0xFF, 0xFF), "write only");
    assert_eq!(b.inb(0x14), 0x99, "alias");
}

#[test]
fn page_registers_keep_their_bytes_and_80h_shows_the_post_code() {
    let mut b = bench();
    for port in 0x80..0x90 {
        b.outb(port, port as u8 ^ 0xFF);
    }
    for port in 0x80..0x90 {
        assert_eq!(b.inb(port), port as u8 ^ 0xFF);
    }
    assert_eq!(b.device.post_code(), 0x7F);
}

#[test]
fn a_state_saved_by_version_1_still_loads() {
    golden(
        |_| I8237Pair::new(),
        concat!(env!("CARGO_MANIFEST_DIR"), "/src/i8237"),
    );
}
