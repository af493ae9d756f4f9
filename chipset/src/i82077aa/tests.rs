//! One file because all tests drive the same rig.
use super::*;
use emu_core::host::{BlockError, MediumChange, MemoryDisk, SECTOR_BYTES};
use emu_core::testkit::{Bench, conformance};
use std::sync::{Arc, Mutex};

const SECTORS: u64 = 2880;

/// A disk that the test can look into while the controller has it.
#[derive(Clone)]
struct Shared(Arc<Mutex<MemoryDisk>>);

impl Shared {
    fn new(sectors: u64, read_only: bool) -> Self {
        let bytes = (0..sectors as usize * SECTOR_BYTES)
            .map(|i| (i / SECTOR_BYTES * 7 + i) as u8)
            .collect();
        Self(Arc::new(Mutex::new(MemoryDisk::new(bytes, read_only))))
    }
    fn sector(&self, lba: usize) -> Vec<u8> {
        self.0.lock().unwrap().bytes()[lba * 512..(lba + 1) * 512].to_vec()
    }
}

impl BlockBackend for Shared {
    fn sectors(&self) -> u64 {
        self.0.lock().unwrap().sectors()
    }
    fn read_only(&self) -> bool {
        self.0.lock().unwrap().read_only()
    }
    fn read(&mut self, lba: u64, buffer: &mut [u8]) -> Result<(), BlockError> {
        if lba == 99 {
            return Err(std::io::Error::other("scratch").into());
        }
        self.0.lock().unwrap().read(lba, buffer)
    }
    fn write(&mut self, lba: u64, data: &[u8]) -> Result<(), BlockError> {
        if lba == 99 {
            return Err(std::io::Error::other("scratch").into());
        }
        self.0.lock().unwrap().write(lba, data)
    }
    fn flush(&mut self) -> Result<(), BlockError> {
        Ok(())
    }
    fn describe(&self) -> String {
        "shared".into()
    }
}

struct Rig {
    bench: Bench<I82077aa>,
    irq: Line,
    drq: Line,
    /// Bytes that the DMA controller still has to move.
    dma: Option<(Vec<u8>, usize)>,
}

impl Rig {
    /// Out of reset, at 500 kbit/s.
    fn new(kind: DriveType, disk: Option<Shared>) -> Self {
        let mut rig = Self::without_rate(kind, disk);
        rig.bench.outb(0x3F7, 0);
        rig
    }

    fn without_rate(kind: DriveType, disk: Option<Shared>) -> Self {
        let (mut irq, mut drq) = (Line::UNCONNECTED, Line::UNCONNECTED);
        let bench = Bench::new(|lines| {
            irq = lines.line("irq");
            drq = lines.line("drq");
            I82077aa::new(
                Config {
                    base: 0x3F0,
                    mode: HostMode::At,
                    irq,
                    drq,
                    drives: [Some(kind), None],
                },
                [disk.map(|d| Box::new(d) as Box<dyn BlockBackend>), None],
            )
        });
        let mut rig = Self {
            bench,
            irq,
            drq,
            dma: None,
        };
        rig.start();
        rig
    }

    /// Out of reset, motor 0, as a BIOS does it.
    fn start(&mut self) {
        self.bench.outb(0x3F2, 0x1C);
        self.bench.advance_ns(RESET_NS);
        for n in 0..4 {
            assert_eq!(self.command(&[0x08], 2), [0xC0 | n, 0]);
        }
        // Step rate 3 ms, head unload 240 ms, head load 4 ms at 500 Kbit/s; DMA.
        self.command(&[0x03, 0xDF, 0x04], 0);
    }

    fn high_density() -> (Self, Shared) {
        let disk = Shared::new(SECTORS, false);
        (Self::new(DriveType::Mb1_44, Some(disk.clone())), disk)
    }

    fn send(&mut self, bytes: &[u8]) {
        for b in bytes {
            assert_eq!(self.bench.inb(0x3F4) & 0xC0, 0x80, "ready for a command");
            self.bench.outb(0x3F5, *b);
        }
    }

    fn results(&mut self, n: usize) -> Vec<u8> {
        let r = (0..n)
            .map(|_| {
                assert_eq!(self.bench.inb(0x3F4) & 0xF0, 0xD0, "a result is ready");
                self.bench.inb(0x3F5)
            })
            .collect();
        assert_eq!(self.bench.inb(0x3F4) & 0xF0, 0x80, "no more results");
        r
    }

    fn command(&mut self, bytes: &[u8], results: usize) -> Vec<u8> {
        self.send(bytes);
        self.results(results)
    }

    /// Serves DMA requests as an 8237 would.
    fn serve(&mut self, host_writes: bool) {
        while self.bench.level(self.drq) {
            let Some((data, left)) = &mut self.dma else {
                return;
            };
            if *left == 0 {
                return;
            }
            *left -= 1;
            let tc = *left == 0;
            if host_writes {
                let byte = data[data.len() - *left - 1];
                self.bench.with(|d, cx| d.dack_write(byte.into(), tc, cx));
            } else {
                let byte = self.bench.with(|d, cx| d.dack_read(tc, cx)) as u8;
                if let Some((data, _)) = &mut self.dma {
                    data.push(byte);
                }
            }
        }
    }

    fn finish(&mut self, host_writes: bool) -> Vec<u8> {
        for _ in 0..2_000_000 {
            self.serve(host_writes);
            if self.bench.inb(0x3F4) & 0xF0 == 0xD0 {
                assert!(self.bench.level(self.irq), "the result phase interrupts");
                let first = self.bench.inb(0x3F5);
                assert!(!self.bench.level(self.irq), "reading a result ends that");
                let mut r = vec![first];
                r.extend(self.results(6));
                return r;
            }
            assert!(self.bench.run_to_next_timer(), "the command hangs");
        }
        panic!("the command never ends");
    }

    fn read(&mut self, command: &[u8], bytes: usize) -> (Vec<u8>, Vec<u8>) {
        self.dma = Some((Vec::new(), bytes));
        self.send(command);
        let result = self.finish(false);
        (result, self.dma.take().unwrap().0)
    }

    fn write(&mut self, command: &[u8], data: &[u8]) -> Vec<u8> {
        self.dma = Some((data.to_vec(), data.len()));
        self.send(command);
        let result = self.finish(true);
        self.dma = None;
        result
    }

    fn seek(&mut self, cylinder: u8) {
        self.send(&[0x0F, 0, cylinder]);
        assert_eq!(self.bench.inb(0x3F4), 0x81, "drive 0 seeks");
        assert!(self.bench.run_to_next_timer());
        assert!(self.bench.level(self.irq));
        assert_eq!(self.command(&[0x08], 2), [0x20, cylinder]);
        assert!(!self.bench.level(self.irq));
        assert_eq!(self.bench.inb(0x3F4), 0x80);
    }
}

#[test]
fn conforms() {
    #[derive(Clone)]
    struct Pattern;
    impl BlockBackend for Pattern {
        fn sectors(&self) -> u64 {
            SECTORS
        }
        fn read_only(&self) -> bool {
            false
        }
        fn read(&mut self, lba: u64, buffer: &mut [u8]) -> Result<(), BlockError> {
            buffer.fill(lba as u8);
            Ok(())
        }
        fn write(&mut self, _: u64, _: &[u8]) -> Result<(), BlockError> {
            Ok(())
        }
        fn flush(&mut self) -> Result<(), BlockError> {
            Ok(())
        }
        fn describe(&self) -> String {
            String::new()
        }
    }
    for mode in [HostMode::At, HostMode::Ps2] {
        conformance(|lines| {
            let config = Config {
                base: 0x3F0,
                mode,
                irq: lines.line("irq"),
                drq: lines.line("drq"),
                drives: [Some(DriveType::Mb1_44), Some(DriveType::Mb1_2)],
            };
            I82077aa::new(config, [Some(Box::new(Pattern)), None])
        });
    }
}

#[test]
fn random_commands_with_a_running_drive_never_panic() {
    for seed in 1..30 {
        let mut rng = emu_core::testkit::Rng::new(seed);
        let (mut rig, _disk) = Rig::high_density();
        for _ in 0..3000 {
            let v = rng.next_u64();
            match v & 7 {
                0 => rig.bench.advance_ns(v >> 8 & 0xFF_FFFF),
                1 => {
                    rig.bench.inb(0x3F5);
                }
                2 => {
                    rig.bench.with(|d, cx| d.dack_read(v & 0x70 == 0, cx));
                }
                3 => rig
                    .bench
                    .with(|d, cx| d.dack_write((v >> 16) as u16, v & 0x70 == 0, cx)),
                4 if v & 0xF00 == 0 => rig.bench.outb(0x3F2, (v >> 16) as u8 | 0x10),
                _ => rig.bench.outb(
                    0x3F5,
                    [(v >> 32) as u8, 0x46, 0x4D, 2, 1][(v >> 40) as usize % 5],
                ),
            }
        }
        let saved = rig.bench.save();
        let _ = emu_core::snapshot::decode::<State>("i82077aa", State::VERSION, &saved)
            .expect("a state that the controller reached is valid");
    }
}

#[test]
fn a_reset_interrupts_and_four_sense_commands_tell_of_four_drives() {
    let (mut rig, _) = Rig::high_density();
    assert_eq!(rig.command(&[0x08], 1), [0x80], "nothing is left to tell");
    rig.bench.outb(0x3F2, 0x18);
    assert_eq!(rig.bench.inb(0x3F4), 0);
    rig.bench.outb(0x3F2, 0x1C);
    rig.bench.advance_ns(RESET_NS);
    assert!(rig.bench.level(rig.irq));
    assert_eq!(rig.command(&[0x08], 2), [0xC0, 0]);
    assert!(!rig.bench.level(rig.irq));
    for n in 1..4 {
        assert_eq!(rig.command(&[0x08], 2), [0xC0 | n, 0]);
    }
    // The same by DSR bit 7, which clears itself.
    rig.bench.outb(0x3F4, 0x80);
    assert_eq!(rig.bench.inb(0x3F4), 0);
    rig.bench.advance_ns(RESET_NS);
    assert!(rig.bench.level(rig.irq));
    // Polling disabled: no interrupt.
    for _ in 0..4 {
        rig.command(&[0x08], 2);
    }
}

#[test]
fn the_dma_gate_silences_both_lines_in_at_mode() {
    let (mut rig, _) = Rig::high_density();
    rig.bench.outb(0x3F2, 0x10);
    rig.bench.outb(0x3F2, 0x14);
    rig.bench.advance_ns(RESET_NS);
    assert!(!rig.bench.level(rig.irq));
    rig.bench.outb(0x3F2, 0x1C);
    assert!(rig.bench.level(rig.irq));
}

#[test]
fn read_data_by_dma_gives_the_sectors_and_the_next_address() {
    let (mut rig, disk) = Rig::high_density();
    rig.seek(3);
    let (result, data) = rig.read(&[0xE6, 4, 3, 1, 2, 2, 18, 0x1B, 0xFF], 1024);
    assert_eq!(result, [0x04, 0, 0, 3, 1, 4, 2]);
    let lba = (3 * 2 + 1) * 18 + 1;
    assert_eq!(data, [disk.sector(lba), disk.sector(lba + 1)].concat());
}

#[test]
fn a_multi_track_read_goes_on_with_side_1_and_ends_on_the_next_cylinder() {
    let (mut rig, disk) = Rig::high_density();
    let (result, data) = rig.read(&[0xE6, 0, 0, 0, 18, 2, 18, 0x1B, 0xFF], 1024);
    assert_eq!(result, [0x04, 0, 0, 0, 1, 2, 2], "side 1, sector 2 is next");
    assert_eq!(data, [disk.sector(17), disk.sector(18)].concat());
    let (result, _) = rig.read(&[0xE6, 4, 0, 1, 18, 2, 18, 0x1B, 0xFF], 512);
    assert_eq!(
        result,
        [0x04, 0, 0, 1, 0, 1, 2],
        "cylinder 1, side 0, sector 1"
    );
    let (result, _) = rig.read(&[0x66, 0, 0, 0, 18, 2, 18, 0x1B, 0xFF], 512);
    assert_eq!(result, [0x00, 0, 0, 1, 0, 1, 2]);
}

#[test]
fn passing_the_last_sector_without_terminal_count_ends_the_cylinder() {
    let (mut rig, _) = Rig::high_density();
    let (result, data) = rig.read(&[0x66, 0, 0, 0, 17, 2, 18, 0x1B, 0xFF], 4096);
    assert_eq!(result, [0x40, 0x80, 0, 1, 0, 1, 2]);
    assert_eq!(data.len(), 1024);
}

#[test]
fn a_sector_takes_the_time_in_which_it_passes_under_the_head() {
    let (mut rig, _) = Rig::high_density();
    rig.read(&[0x66, 0, 0, 0, 1, 2, 18, 0x1B, 0xFF], 512);
    let first = rig.bench.now();
    rig.read(&[0x66, 0, 0, 0, 1, 2, 18, 0x1B, 0xFF], 512);
    let turn = rig.bench.now().since(first);
    assert_eq!(turn, 200_000_000, "300 turns a minute");
    rig.read(&[0x66, 0, 0, 0, 2, 2, 18, 0x1B, 0xFF], 512);
    let next = rig.bench.now().since(first) - turn;
    let slot = (200_000_000 - 146 * 16_000) / 18;
    assert_eq!(next, slot, "the sector behind it comes at once");
}

#[test]
fn pio_needs_every_byte_in_time_and_interrupts_for_it() {
    let (mut rig, disk) = Rig::high_density();
    rig.command(&[0x03, 0xDF, 0x05], 0);
    rig.send(&[0x66, 0, 0, 0, 5, 2, 5, 0x1B, 0xFF]);
    let mut data = Vec::new();
    while data.len() < 512 {
        assert!(rig.bench.run_to_next_timer());
        let msr = rig.bench.inb(0x3F4);
        assert_eq!(msr & 0x70, 0x70, "non-DMA, busy, to the host");
        if msr & 0x80 != 0 {
            assert!(rig.bench.level(rig.irq));
            data.push(rig.bench.inb(0x3F5));
            assert!(!rig.bench.level(rig.irq));
        }
    }
    assert_eq!(data, disk.sector(4));
    // Without terminal count the command ends behind the last sector.
    let result = rig.finish(false);
    assert_eq!(result, [0x40, 0x80, 0, 1, 0, 1, 2]);
    // A host that does not come is told so.
    rig.send(&[0x66, 0, 0, 0, 5, 2, 5, 0x1B, 0xFF]);
    assert_eq!(rig.finish(false)[..3], [0x40, 0x10, 0]);
}

#[test]
fn the_fifo_collects_bytes_up_to_its_threshold() {
    let (mut rig, disk) = Rig::high_density();
    rig.command(&[0x03, 0xDF, 0x05], 0);
    // FIFO on, threshold 8.
    rig.command(&[0x13, 0, 0x07, 0], 0);
    rig.send(&[0x66, 0, 0, 0, 1, 2, 1, 0x1B, 0xFF]);
    let mut data = Vec::new();
    let mut bursts = 0;
    while data.len() < 512 {
        assert!(rig.bench.run_to_next_timer());
        if rig.bench.level(rig.irq) {
            bursts += 1;
            while rig.bench.inb(0x3F4) & 0xA0 == 0xA0 {
                data.push(rig.bench.inb(0x3F5));
            }
        }
    }
    assert_eq!(data, disk.sector(0));
    assert_eq!(bursts, 64, "eight bytes at a time");
}

#[test]
fn write_data_reaches_the_image_and_fills_with_zeros_after_terminal_count() {
    let (mut rig, disk) = Rig::high_density();
    let result = rig.write(&[0x45, 0, 0, 0, 3, 2, 18, 0x1B, 0xFF], &[0xA5; 700]);
    assert_eq!(result, [0, 0, 0, 0, 0, 5, 2]);
    assert_eq!(disk.sector(2), [0xA5; 512]);
    let mut second = [0; 512];
    second[..188].fill(0xA5);
    assert_eq!(disk.sector(3), second);
    // With the FIFO too.
    rig.command(&[0x13, 0, 0x07, 0], 0);
    let result = rig.write(&[0x45, 0, 0, 0, 9, 2, 18, 0x1B, 0xFF], &[0x5A; 512]);
    assert_eq!(result, [0, 0, 0, 0, 0, 10, 2]);
    assert_eq!(disk.sector(8), [0x5A; 512]);
}

#[test]
fn a_write_protected_disk_is_not_written() {
    let disk = Shared::new(SECTORS, true);
    let before = disk.sector(0);
    let mut rig = Rig::new(DriveType::Mb1_44, Some(disk.clone()));
    let result = rig.write(&[0x45, 0, 0, 0, 1, 2, 18, 0x1B, 0xFF], &[1; 512]);
    assert_eq!(result[..3], [0x40, 0x02, 0]);
    assert_eq!(disk.sector(0), before);
    assert_eq!(rig.command(&[0x04, 0], 1), [0x78], "ST3: WP, T0");
    let result = rig.write(&[0x4D, 0, 2, 18, 0x54, 0xF6], &[0; 72]);
    assert_eq!(result[..3], [0x40, 0x02, 0]);
}

#[test]
fn a_host_failure_is_an_error_to_the_guest() {
    let (mut rig, _) = Rig::high_density();
    rig.seek(2);
    // LBA 99 = cylinder 2, head 1, sector 10.
    let (result, _) = rig.read(&[0x46, 4, 2, 1, 10, 2, 18, 0x1B, 0xFF], 512);
    assert_eq!(result[..3], [0x44, 0x20, 0x20]);
    let result = rig.write(&[0x45, 4, 2, 1, 10, 2, 18, 0x1B, 0xFF], &[1; 512]);
    assert_eq!(result[..3], [0x54, 0, 0]);
}

#[test]
fn a_missing_sector_is_looked_for_during_two_turns() {
    let (mut rig, _) = Rig::high_density();
    rig.read(&[0x46, 0, 0, 0, 1, 2, 18, 0x1B, 0xFF], 512);
    let start = rig.bench.now();
    let (result, _) = rig.read(&[0x46, 0, 0, 0, 19, 2, 19, 0x1B, 0xFF], 512);
    assert_eq!(result, [0x40, 0x04, 0, 0, 0, 19, 2], "no data");
    let waited = rig.bench.now().since(start);
    assert!((200_000_000..=400_000_000).contains(&waited), "{waited}");
    let (result, _) = rig.read(&[0x46, 0, 5, 0, 1, 2, 18, 0x1B, 0xFF], 512);
    assert_eq!(result[..3], [0x40, 0x04, 0x10], "wrong cylinder");
}

#[test]
fn the_wrong_data_rate_finds_no_address_mark() {
    for (kind, sectors, right) in [
        (DriveType::Mb1_44, 2880, 0),
        (DriveType::Mb1_44, 1440, 2),
        (DriveType::Mb1_44, 3360, 0),
        (DriveType::Mb1_2, 2400, 0),
        (DriveType::Mb1_2, 720, 1),
        (DriveType::Kb360, 720, 2),
        (DriveType::Kb360, 320, 2),
        (DriveType::Kb720, 1440, 2),
        (DriveType::Mb2_88, 5760, 3),
        (DriveType::Mb2_88, 2880, 0),
    ] {
        let mut rig = Rig::new(kind, Some(Shared::new(sectors, false)));
        for rate in 0..4 {
            rig.bench.outb(0x3F7, rate);
            rig.send(&[0x4A, 0]);
            let result = rig.finish(false);
            if rate == right {
                assert_eq!(result[..3], [0, 0, 0], "{kind:?} {sectors} {rate}");
                assert_eq!(result[3..5], [0, 0]);
                assert_eq!(result[6], 2);
            } else {
                assert_eq!(result[..3], [0x40, 0x01, 0], "{kind:?} {sectors} {rate}");
            }
        }
    }
}

#[test]
fn until_a_rate_is_selected_the_disks_own_and_implied_seeks_are_in_force() {
    for (kind, sectors) in [
        (DriveType::Mb1_44, 2880),
        (DriveType::Mb2_88, 5760),
        (DriveType::Mb1_44, 1440),
        (DriveType::Mb1_2, 2400),
    ] {
        let mut rig = Rig::without_rate(kind, Some(Shared::new(sectors, false)));
        let read = [0x46, 0, 0, 0, 1, 2, 1, 0x1B, 0xFF];
        let (result, _) = rig.read(&read, 512);
        assert_eq!(result[..3], [0, 0, 0], "{kind:?}");
        let far = [0x46, 0, 5, 0, 1, 2, 2, 0x1B, 0xFF];
        assert_eq!(rig.read(&far, 512).0, [0, 0, 0, 5, 0, 2, 2], "{kind:?}");
        assert_eq!(rig.read(&read, 512).0[..3], [0, 0, 0], "{kind:?}");
        // One that is the disk's by no table: 2.88M disks have 1 Mbit/s, 720K disks 250 kbit/s.
        let wrong = if sectors == 5760 { 0 } else { 3 };
        rig.bench.outb(0x3F7, wrong);
        let (result, _) = rig.read(&read, 512);
        assert_eq!(result[..2], [0x40, 0x01], "{kind:?}: no address mark");
        // A software reset keeps the selection, a hardware reset forgets it.
        rig.bench.outb(0x3F2, 0x18);
        rig.bench.outb(0x3F2, 0x1C);
        rig.bench.advance_ns(RESET_NS);
        for _ in 0..4 {
            rig.command(&[0x08], 2);
        }
        assert_eq!(rig.read(&read, 512).0[..2], [0x40, 0x01], "{kind:?}");
        rig.bench.with(|d, cx| d.reset(ResetKind::Hard, cx));
        rig.start();
        assert_eq!(rig.read(&read, 512).0[..3], [0, 0, 0], "{kind:?}");
    }
}

#[test]
fn fm_and_the_second_side_of_a_single_sided_disk_have_no_address_marks() {
    let mut rig = Rig::new(DriveType::Kb360, Some(Shared::new(320, false)));
    rig.bench.outb(0x3F7, 2);
    rig.send(&[0x0A, 0]);
    assert_eq!(rig.finish(false)[..3], [0x40, 0x01, 0]);
    rig.send(&[0x4A, 4]);
    assert_eq!(rig.finish(false)[..3], [0x44, 0x01, 0]);
}

#[test]
fn a_double_density_disk_in_a_1_2m_drive_needs_double_steps() {
    let disk = Shared::new(720, false);
    let mut rig = Rig::new(DriveType::Mb1_2, Some(disk.clone()));
    rig.bench.outb(0x3F7, 1);
    rig.seek(6);
    let (result, data) = rig.read(&[0x46, 0, 3, 0, 1, 2, 9, 0x2A, 0xFF], 512);
    assert_eq!(result[..3], [0, 0, 0]);
    assert_eq!(data, disk.sector(3 * 18));
    rig.seek(7);
    rig.send(&[0x4A, 0]);
    assert_eq!(rig.finish(false)[..2], [0x40, 0x01]);
}

#[test]
fn recalibrate_steps_79_times_at_most() {
    let (mut rig, _) = Rig::high_density();
    rig.seek(83);
    let start = rig.bench.now();
    rig.send(&[0x07, 0]);
    rig.bench.run_to_next_timer();
    assert_eq!(rig.bench.now().since(start), 79 * 3_000_000);
    assert_eq!(rig.command(&[0x08], 2), [0x70, 0], "track 0 not found");
    rig.send(&[0x07, 0]);
    rig.bench.run_to_next_timer();
    assert_eq!(rig.command(&[0x08], 2), [0x20, 0]);
    assert_eq!(rig.command(&[0x04, 0], 1), [0x38], "ST3: at track 0");
}

#[test]
fn a_relative_seek_outwards_past_track_0_is_an_equipment_check() {
    let (mut rig, _) = Rig::high_density();
    rig.send(&[0xCF, 0, 10]);
    rig.bench.run_to_next_timer();
    assert_eq!(rig.command(&[0x08], 2), [0x20, 10]);
    rig.send(&[0x8F, 0, 11]);
    rig.bench.run_to_next_timer();
    assert_eq!(rig.command(&[0x08], 2), [0x70, 0]);
}

#[test]
fn an_implied_seek_moves_the_head_first() {
    let (mut rig, disk) = Rig::high_density();
    rig.command(&[0x13, 0, 0x60, 0], 0);
    let (result, data) = rig.read(&[0x46, 0, 40, 0, 1, 2, 18, 0x1B, 0xFF], 512);
    assert_eq!(result, [0, 0, 0, 40, 0, 2, 2]);
    assert_eq!(data, disk.sector(40 * 36));
}

#[test]
fn the_disk_change_line_falls_with_a_step_only_when_a_disk_is_in() {
    let (mut rig, _) = Rig::high_density();
    assert_eq!(
        rig.bench.inb(0x3F7),
        0xFF,
        "changed since the power came on"
    );
    rig.seek(1);
    assert_eq!(rig.bench.inb(0x3F7), 0x7F);
    let change = |medium| {
        HostEvent::Medium(MediumChange {
            drive: DriveId::Floppy(0),
            medium,
        })
    };
    rig.bench
        .with(|d, cx| HostInput::host_input(d, change(None), cx));
    assert_eq!(rig.bench.inb(0x3F7), 0xFF);
    rig.seek(2);
    assert_eq!(rig.bench.inb(0x3F7), 0xFF, "still no disk");
    let other = Shared::new(1440, false);
    rig.bench
        .with(|d, cx| HostInput::host_input(d, change(Some(Box::new(other.clone()))), cx));
    assert_eq!(rig.bench.inb(0x3F7), 0xFF);
    rig.seek(0);
    assert_eq!(rig.bench.inb(0x3F7), 0x7F);
    rig.bench.outb(0x3F7, 2);
    let (result, data) = rig.read(&[0x46, 0, 0, 0, 9, 2, 9, 0x1B, 0xFF], 512);
    assert_eq!(result[0], 0);
    assert_eq!(data, other.sector(8));
    rig.bench.outb(0x3F2, 0x0C);
    assert_eq!(
        rig.bench.inb(0x3F7),
        0x7F,
        "no drive is selected without motor"
    );
}

#[test]
fn an_empty_drive_hangs_the_command_until_a_disk_comes() {
    let mut rig = Rig::new(DriveType::Mb1_44, None);
    rig.send(&[0x4A, 0]);
    while rig.bench.run_to_next_timer() {}
    assert_eq!(rig.bench.inb(0x3F4), 0x10);
    let disk = Shared::new(SECTORS, false);
    rig.bench.with(|d, cx| {
        HostInput::host_input(
            d,
            HostEvent::Medium(MediumChange {
                drive: DriveId::Floppy(0),
                medium: Some(Box::new(disk)),
            }),
            cx,
        );
    });
    assert_eq!(rig.finish(false)[..3], [0, 0, 0]);
}

#[test]
fn deleted_data_is_marked_skipped_and_read() {
    let (mut rig, disk) = Rig::high_density();
    let result = rig.write(&[0x49, 0, 0, 0, 2, 2, 18, 0x1B, 0xFF], &[0xDD; 512]);
    assert_eq!(result[..3], [0, 0, 0]);
    let (result, data) = rig.read(&[0x46, 0, 0, 0, 1, 2, 18, 0x1B, 0xFF], 1536);
    assert_eq!(result, [0, 0, 0x40, 0, 0, 2, 2], "stops behind it");
    assert_eq!(data.len(), 1024);
    let (result, data) = rig.read(&[0x66, 0, 0, 0, 1, 2, 18, 0x1B, 0xFF], 1024);
    assert_eq!(result, [0, 0, 0x40, 0, 0, 4, 2], "skips it");
    assert_eq!(data, [disk.sector(0), disk.sector(2)].concat());
    let (result, data) = rig.read(&[0x4C, 0, 0, 0, 2, 2, 18, 0x1B, 0xFF], 512);
    assert_eq!(result, [0, 0, 0, 0, 0, 3, 2]);
    assert_eq!(data, [0xDD; 512]);
    let result = rig.write(&[0x45, 0, 0, 0, 2, 2, 18, 0x1B, 0xFF], &[1; 512]);
    assert_eq!(result[0], 0);
    let (result, _) = rig.read(&[0x46, 0, 0, 0, 2, 2, 18, 0x1B, 0xFF], 512);
    assert_eq!(result[2], 0, "an ordinary write makes an ordinary mark");
}

#[test]
fn read_track_starts_at_the_index_and_flags_other_ids() {
    let (mut rig, disk) = Rig::high_density();
    let (result, data) = rig.read(&[0x42, 0, 0, 0, 1, 2, 3, 0x1B, 0xFF], 4096);
    assert_eq!(result[..3], [0, 0, 0]);
    assert_eq!(
        data,
        [disk.sector(0), disk.sector(1), disk.sector(2)].concat()
    );
    let (result, data) = rig.read(&[0x42, 0, 0, 0, 7, 2, 2, 0x1B, 0xFF], 1024);
    assert_eq!(result[..2], [0, 0x04]);
    assert_eq!(data, [disk.sector(0), disk.sector(1)].concat());
}

#[test]
fn verify_moves_no_data_and_counts_sectors_when_told() {
    let (mut rig, _) = Rig::high_density();
    rig.send(&[0x56, 0, 0, 0, 1, 2, 18, 0x1B, 0xFF]);
    assert_eq!(rig.finish(false), [0, 0, 0, 1, 0, 1, 2]);
    rig.send(&[0xD6, 0x80, 0, 0, 1, 2, 18, 0x1B, 36]);
    assert_eq!(rig.finish(false), [0x04, 0, 0, 1, 0, 1, 2]);
    rig.send(&[0x56, 0x80, 0, 0, 1, 2, 18, 0x1B, 19]);
    assert_eq!(rig.finish(false)[..2], [0x40, 0x80]);
    rig.send(&[0x56, 0, 0, 0, 1, 2, 19, 0x1B, 0xFF]);
    assert_eq!(rig.finish(false)[..2], [0x40, 0x04], "EOT past the track");
}

#[test]
fn scans_compare_with_the_disk() {
    let (mut rig, _) = Rig::high_density();
    for (r, byte) in [(1, 0x10), (2, 0x20), (3, 0x30)] {
        rig.write(&[0x45, 0, 0, 0, r, 2, 18, 0x1B, 0xFF], &[byte; 512]);
    }
    let scan = |rig: &mut Rig, command: u8, stp: u8, byte: u8| {
        // The host offers the same bytes for each sector.
        let r = rig.write(
            &[command, 0, 0, 0, 1, 2, 3, 0x1B, stp],
            &[byte; 512 * 3 + 1],
        );
        (r[0], r[2], r[5])
    };
    assert_eq!(
        scan(&mut rig, 0x51, 1, 0x20),
        (0, 0x08, 2),
        "equal in sector 2"
    );
    assert_eq!(scan(&mut rig, 0x51, 2, 0x20), (0, 0x04, 3), "not in 1 or 3");
    assert_eq!(
        scan(&mut rig, 0x51, 1, 0xFF),
        (0, 0x08, 1),
        "FFh matches all"
    );
    assert_eq!(scan(&mut rig, 0x59, 1, 0x15), (0, 0x00, 1), "disk <= host");
    assert_eq!(scan(&mut rig, 0x59, 1, 0x05), (0, 0x04, 3));
    assert_eq!(scan(&mut rig, 0x5D, 1, 0x25), (0, 0x00, 3), "disk >= host");
    assert_eq!(scan(&mut rig, 0x5D, 1, 0x30), (0, 0x08, 3));
}

#[test]
fn format_track_fills_the_image() {
    let (mut rig, disk) = Rig::high_density();
    rig.seek(1);
    let ids: Vec<u8> = (1..=18).flat_map(|r| [1, 0, r, 2]).collect();
    let result = rig.write(&[0x4D, 0, 2, 18, 0x6C, 0xF6], &ids);
    assert_eq!(result[..3], [0, 0, 0]);
    for r in 0..18 {
        assert_eq!(disk.sector(36 + r), [0xF6; 512]);
    }
    assert_ne!(disk.sector(36 + 18), [0xF6; 512]);
    let (result, data) = rig.read(&[0x46, 0, 1, 0, 18, 2, 18, 0x1B, 0xFF], 512);
    assert_eq!((result[0], data), (0, vec![0xF6; 512]));
}

#[test]
fn a_track_of_another_format_lives_until_the_disk_is_changed() {
    let (mut rig, _) = Rig::high_density();
    // Eight sectors of 1024 bytes with odd numbers.
    let ids: Vec<u8> = (0..8).flat_map(|r| [0, 0, 0x81 + r, 3]).collect();
    assert_eq!(
        rig.write(&[0x4D, 0, 3, 8, 0x50, 0x11], &ids)[..3],
        [0, 0, 0]
    );
    let (result, data) = rig.read(&[0x46, 0, 0, 0, 0x88, 3, 0x88, 0x1B, 0xFF], 1024);
    assert_eq!((result[0], data), (0, vec![0x11; 1024]));
    let result = rig.write(&[0x45, 0, 0, 0, 0x82, 3, 0x88, 0x1B, 0xFF], &[0x22; 1024]);
    assert_eq!(result[0], 0);
    let (_, data) = rig.read(&[0x46, 0, 0, 0, 0x82, 3, 0x88, 0x1B, 0xFF], 1024);
    assert_eq!(data, [0x22; 1024]);
    let (result, _) = rig.read(&[0x46, 0, 0, 0, 1, 2, 18, 0x1B, 0xFF], 512);
    assert_eq!(result[..2], [0x40, 0x04], "the old sectors are gone");
    let ids: Vec<u8> = (1..=18).flat_map(|r| [0, 0, r, 2]).collect();
    rig.write(&[0x4D, 0, 2, 18, 0x6C, 0xF6], &ids);
    let (result, _) = rig.read(&[0x46, 0, 0, 0, 1, 2, 18, 0x1B, 0xFF], 512);
    assert_eq!(result[0], 0);
}

#[test]
fn format_track_needs_its_ids_in_time() {
    let (mut rig, _) = Rig::high_density();
    let mut ids: Vec<u8> = (1..=18).flat_map(|r| [0, 0, r, 2]).collect();
    ids.truncate(10);
    rig.dma = Some((ids, 11));
    rig.send(&[0x4D, 0, 2, 18, 0x6C, 0xF6]);
    if let Some((ids, left)) = &mut rig.dma {
        ids.insert(0, 0);
        *left = 10;
        // Nobody answers after ten bytes, and no terminal count comes.
    }
    for _ in 0..100 {
        while rig.bench.level(rig.drq) && rig.dma.as_ref().is_some_and(|d| d.1 > 0) {
            rig.dma.as_mut().unwrap().1 -= 1;
            rig.bench.with(|d, cx| d.dack_write(0, false, cx));
        }
        if rig.bench.inb(0x3F4) & 0xF0 == 0xD0 {
            break;
        }
        rig.bench.run_to_next_timer();
    }
    assert_eq!(rig.results(7)[..2], [0x40, 0x10]);
}

#[test]
fn dumpreg_configure_lock_and_perpendicular_mode_keep_what_they_were_told() {
    let (mut rig, _) = Rig::high_density();
    rig.command(&[0x13, 0, 0x4A, 0x29], 0);
    rig.command(&[0x12, 0x80 | 0b0001_0101], 0);
    assert_eq!(rig.command(&[0x94], 1), [0x10]);
    rig.seek(5);
    let dump = rig.command(&[0x0E], 10);
    assert_eq!(dump, [5, 0, 0, 0, 0xDF, 0x04, 0, 0x95, 0x4A, 0x29]);
    // A software reset leaves the locked FIFO settings; GAP and WGATE fall, the drive bits stay.
    rig.bench.outb(0x3F2, 0x18);
    rig.bench.outb(0x3F2, 0x1C);
    rig.bench.advance_ns(RESET_NS);
    for _ in 0..4 {
        rig.command(&[0x08], 2);
    }
    let dump = rig.command(&[0x0E], 10);
    assert_eq!(dump[7..], [0x94, 0x0A, 0x29]);
    assert_eq!(rig.command(&[0x14], 1), [0x00]);
    rig.bench.outb(0x3F2, 0x18);
    rig.bench.outb(0x3F2, 0x1C);
    rig.bench.advance_ns(RESET_NS);
    for _ in 0..4 {
        rig.command(&[0x08], 2);
    }
    let dump = rig.command(&[0x0E], 10);
    assert_eq!(dump[7..], [0x14, 0x20, 0]);
}

#[test]
fn invalid_commands_answer_80_and_version_answers_90() {
    let (mut rig, _) = Rig::high_density();
    assert_eq!(rig.command(&[0x10], 1), [0x90]);
    for b in [0x00, 0x01, 0x0B, 0x18, 0x1F, 0x83, 0x2F, 0x9E, 0xE5] {
        assert_eq!(rig.command(&[b], 1), [0x80], "{b:02X}");
        assert!(!rig.bench.level(rig.irq));
    }
}

#[test]
fn every_known_image_size_is_told_apart() {
    for (kib, cylinders, heads, sectors) in [
        (160, 40, 1, 8),
        (180, 40, 1, 9),
        (320, 40, 2, 8),
        (360, 40, 2, 9),
        (720, 80, 2, 9),
        (1200, 80, 2, 15),
        (1440, 80, 2, 18),
        (1680, 80, 2, 21),
        (1722, 82, 2, 21),
        (2880, 80, 2, 36),
    ] {
        let g = Geometry::for_bytes(kib * 1024).unwrap();
        assert_eq!(
            (g.cylinders, g.heads, g.sectors),
            (cylinders, heads, sectors)
        );
    }
    for (i, g) in Geometry::KNOWN.iter().enumerate() {
        assert_eq!(
            Geometry::KNOWN[i + 1..]
                .iter()
                .find(|o| o.bytes() == g.bytes()),
            None
        );
        assert!(DriveType::for_geometry(g).reads(g.density).is_some());
    }
    assert_eq!(Geometry::for_bytes(1000), None);
}

#[test]
fn ps2_mode_drives_the_status_registers() {
    let mut bench = Bench::new(|lines| {
        let config = Config {
            base: 0x3F0,
            mode: HostMode::Ps2,
            irq: lines.line("irq"),
            drq: lines.line("drq"),
            drives: [Some(DriveType::Mb1_44), None],
        };
        I82077aa::new(config, [Some(Box::new(Shared::new(SECTORS, true))), None])
    });
    bench.outb(0x3F2, 0x14);
    bench.advance_ns(RESET_NS);
    assert_eq!(bench.inb(0x3F0), 0b1100_0100, "INT, no drive 2, protected");
    assert_eq!(bench.inb(0x3F1), 0xC1);
    bench.outb(0x3F7, 0);
    assert_eq!(bench.inb(0x3F7), 0xF8);
    bench.outb(0x3F7, 2);
    assert_eq!(bench.inb(0x3F7), 0xFD);
}
