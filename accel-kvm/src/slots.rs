//! The board's map as memory slots.

use crate::sys;
use emu_core::backend::SystemBus;
use emu_core::bus::Gpa;
use emu_core::ram::{PAGE_BYTES, Ram};
use kvm_ioctls::VmFd;

/// Below this, every page is looked at: the map changes page by page.
const LOW_END: u64 = 1 << 20;
/// The firmware's place below 4 GiB.
const HIGH_START: u64 = (1 << 32) - (16 << 20);
const HIGH_END: u64 = 1 << 32;
const A20: u64 = 1 << 20;
const PAGE: u64 = PAGE_BYTES as u64;

/// Memory that lies in one piece on both sides.
#[derive(Clone)]
struct Span {
    gpa: u64,
    bytes: usize,
    ram: Ram,
    offset: usize,
    writable: bool,
}

impl Span {
    fn same(&self, other: &Self) -> bool {
        self.ram == other.ram
            && (self.gpa, self.bytes, self.offset, self.writable)
                == (other.gpa, other.bytes, other.offset, other.writable)
    }

    /// Whether a page goes on where this ends.
    fn continues(&self, next: &Self) -> bool {
        self.ram == next.ram
            && self.writable == next.writable
            && self.gpa + self.bytes as u64 == next.gpa
            && self.offset + self.bytes == next.offset
    }
}

/// The slots that KVM has now.
#[derive(Default)]
pub struct Slots(Vec<Span>);

/// What is plain memory for a guest at this address: written without the board's knowledge, or read only.
fn page(bus: &dyn SystemBus, gpa: u64, a20_masked: bool) -> Option<Span> {
    let on_the_bus = if a20_masked { gpa & !A20 } else { gpa };
    let view = bus.page(Gpa(on_the_bus), false);
    let (ram, offset) = view.read?;
    let writable = view.write.is_some_and(|(to, at)| to == ram && at == offset);
    Some(Span {
        gpa,
        bytes: PAGE_BYTES,
        ram,
        offset,
        writable,
    })
}

fn spans(bus: &dyn SystemBus, a20_masked: bool) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut add = |gpa: u64| -> bool {
        let Some(next) = page(bus, gpa, a20_masked) else {
            return false;
        };
        match spans.last_mut() {
            Some(last) if last.continues(&next) => last.bytes += next.bytes,
            _ => spans.push(next),
        }
        true
    };
    for gpa in (0..LOW_END).step_by(PAGE_BYTES) {
        add(gpa);
    }
    // Memory above 1 MiB has no holes.
    let mut gpa = LOW_END;
    while gpa < HIGH_START && add(gpa) {
        gpa += PAGE;
    }
    for gpa in (HIGH_START..HIGH_END).step_by(PAGE_BYTES) {
        add(gpa);
    }
    spans
}

impl Slots {
    /// Makes the slots what the map is.
    pub fn update(
        &mut self,
        vm: &VmFd,
        bus: &dyn SystemBus,
        a20_masked: bool,
    ) -> std::io::Result<()> {
        let wanted = spans(bus, a20_masked);
        let unchanged =
            self.0.len() == wanted.len() && self.0.iter().zip(&wanted).all(|(a, b)| a.same(b));
        if unchanged {
            return Ok(());
        }
        self.note_writes(vm);
        for (n, old) in self.0.drain(..).enumerate() {
            sys::set_slot(vm, n as u32, old.gpa, &old.ram, old.offset, 0, true)?;
        }
        for span in wanted {
            let Span {
                gpa,
                bytes,
                ref ram,
                offset,
                writable,
            } = span;
            sys::set_slot(vm, self.0.len() as u32, gpa, ram, offset, bytes, writable)?;
            self.0.push(span);
        }
        Ok(())
    }

    /// Marks the pages that the guest has written.
    pub fn note_writes(&self, vm: &VmFd) {
        for (n, span) in self.0.iter().enumerate().filter(|(_, s)| s.writable) {
            let first = span.offset / PAGE_BYTES;
            let Ok(words) = vm.get_dirty_log(n as u32, span.bytes) else {
                // Without the log, everything may have been written.
                (0..span.bytes / PAGE_BYTES).for_each(|p| span.ram.mark_dirty(first + p));
                continue;
            };
            for (w, mut word) in words.into_iter().enumerate() {
                while word != 0 {
                    let bit = word.trailing_zeros() as usize;
                    span.ram.mark_dirty(first + 64 * w + bit);
                    word &= word - 1;
                }
            }
        }
    }
}
