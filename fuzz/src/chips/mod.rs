//! One chip at a time on the testkit's bench: random accesses to whatever it decodes, mixed with sequences that get
//! deep into it, the outside world, time, and saved states that were tampered with.

pub mod apic;
pub mod bridges;
pub mod floppy;
pub mod ide;
pub mod legacy;
pub mod small;
pub mod vga;

use crate::hostile;
use emu_core::bus::Width;
use emu_core::device::Device;
use emu_core::host::{HostEvent, KeyCode, MouseEvent};
use emu_core::snapshot::Snapshot;
use emu_core::testkit::{Bench, Lines, Rng};
use emu_core::{DynDevice, ResetKind};

/// Accesses in one case.
pub const STEPS: u64 = 4000;

/// A guest that drives a chip, counting its accesses.
pub struct Guest<'a, D: Device> {
    pub bench: &'a mut Bench<D>,
    pub rng: &'a mut Rng,
    left: u64,
}

impl<D: Device> Guest<'_, D> {
    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.rng.below(n)
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.rng.below(n) == 0
    }

    /// A byte, often one of those that sit at an edge.
    pub fn byte(&mut self) -> u8 {
        hostile::byte(self.rng)
    }

    /// One of several.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.rng.below(of.len() as u64) as usize]
    }

    fn spend(&mut self) -> bool {
        let had = self.left > 0;
        self.left = self.left.saturating_sub(1);
        had
    }

    pub fn inb(&mut self, port: u16) -> u8 {
        self.read(port, Width::Byte) as u8
    }

    pub fn outb(&mut self, port: u16, value: u8) {
        self.write(port, Width::Byte, value.into());
    }

    pub fn read(&mut self, port: u16, width: Width) -> u32 {
        if self.spend() {
            self.bench.read(port, width)
        } else {
            u32::MAX
        }
    }

    pub fn write(&mut self, port: u16, width: Width, value: u32) {
        if self.spend() {
            self.bench.write(port, width, value);
        }
    }

    /// Writes PCI configuration space.
    pub fn config_write(&mut self, offset: u8, width: Width, value: u32) {
        if self.spend() {
            let value = value & width.mask() as u32;
            self.bench.with(|d, cx| {
                if let Some(p) = Device::pci(d) {
                    p.config_write(offset, width, value, cx);
                }
            });
        }
    }

    /// Serves DMA requests as a controller would.
    pub fn dma(&mut self, cycles: u64) {
        for n in 0..cycles {
            if !self.spend() {
                return;
            }
            let (last, write, value) = (n + 1 == cycles, self.one_in(2), self.rng.next_u64());
            self.bench.with(|d, cx| {
                if let Some(p) = Device::isa_dma(d) {
                    if write {
                        p.dack_write(value as u16, last, cx);
                    } else {
                        p.dack_read(last, cx);
                    }
                }
            });
        }
    }

    /// Lets time pass: to the next timer, or some time.
    pub fn wait(&mut self) {
        if self.one_in(4) {
            let ns = self.rng.below(2_000_000);
            self.bench.advance_ns(ns);
        } else {
            self.bench.run_to_next_timer();
        }
    }

    /// What comes from outside: keys, the mouse, the power button.
    fn outside(&mut self) {
        let value = self.rng.next_u64();
        let event = match value & 3 {
            0 | 1 => HostEvent::Key {
                key: KeyCode((value >> 8) as u8),
                pressed: value & 4 == 0,
            },
            2 => HostEvent::Mouse(MouseEvent {
                dx: (value >> 8) as i32 >> ((value >> 40) & 31),
                dy: (value >> 16) as i32 >> ((value >> 45) & 31),
                wheel: (value >> 24) as i32 >> ((value >> 50) & 31),
                buttons: (value >> 56) as u8,
            }),
            _ => HostEvent::PowerButton,
        };
        self.give(event);
    }

    pub fn give(&mut self, event: HostEvent) {
        self.bench.with(|d, cx| {
            if let Some(h) = Device::host_input(d) {
                h.host_input(event, cx);
            }
        });
    }

    /// Its own saved state must be taken back, and be the same afterwards.
    fn save_and_restore(&mut self) {
        let saved = self.bench.save();
        if let Err(e) = self.bench.device.load(D::State::VERSION, &saved) {
            panic!("{}: its own state was refused: {e}", D::KIND);
        }
        Device::restored(&mut self.bench.device);
        assert_eq!(
            self.bench.save(),
            saved,
            "{}: save, restore, save differs",
            D::KIND
        );
    }

    /// A state that was tampered with is refused or harmless.
    fn forge_state(&mut self) {
        let mut bad = self.bench.save();
        hostile::damage(&mut bad, self.rng);
        if self.bench.device.load(D::State::VERSION, &bad).is_ok() {
            Device::restored(&mut self.bench.device);
            // What the device decodes may be another thing now.
            self.bench.with(|_, cx| cx.request_remap());
        }
    }

    /// A timer of a forged snapshot: one that the device has not armed.
    fn forge_timer(&mut self) {
        let timer = self.rng.below(8) as u16;
        self.bench.with(|d, cx| {
            if let Some(t) = Device::timers(d) {
                t.expired(timer, cx);
            }
        });
    }

    fn picture(&mut self) {
        if let Some(p) = Device::display(&mut self.bench.device) {
            let mut frame = emu_core::host::Frame::default();
            p.scanout(&mut frame);
            assert_eq!(frame.pixels.len(), frame.width * frame.height);
            p.text();
        }
    }
}

/// Plays a case: `script` is one sequence of accesses that gets deep into the chip.
pub fn play<D: Device>(
    rng: &mut Rng,
    steps: u64,
    make: impl FnOnce(&mut Lines<'_>) -> D,
    script: fn(&mut Guest<'_, D>),
) {
    let mut bench = Bench::new(make);
    // One case in four has a forged state somewhere in it.
    let forged = rng.below(4) == 0;
    let mut guest = Guest {
        bench: &mut bench,
        rng,
        left: steps,
    };
    while guest.left > 0 {
        match guest.below(64) {
            0..36 => {
                guest.left -= 1;
                guest.bench.random_step(guest.rng);
            }
            36..58 => {
                guest.left -= 1;
                script(&mut guest);
            }
            58..61 => guest.outside(),
            61 => guest.save_and_restore(),
            62 => match guest.below(8) {
                0 => guest.bench.reset(ResetKind::Hard),
                1 | 2 => guest.picture(),
                _ => guest.wait(),
            },
            _ if forged => {
                guest.left -= 1;
                if guest.one_in(4) {
                    guest.forge_timer();
                } else {
                    guest.forge_state();
                }
            }
            _ => guest.left -= 1,
        }
    }
    guest.bench.take_requests();
}

/// No sequence: the chip is so simple that random accesses reach all of it.
pub fn nothing<D: Device>(_: &mut Guest<'_, D>) {}
