//! All that a device can reach, for the length of one call.

use crate::bus::{Gpa, MemoryMap, PortMap};
use crate::cap::ApicCycle;
use crate::device::DeviceId;
use crate::event::{EventQueue, TimerId};
use crate::time::{InsnClock, VirtTime};
use crate::wire::{Line, Wires};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How far a reset reaches.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum ResetKind {
    /// INIT: the CPU alone; devices are not touched.
    Init,
    /// The reset line of the board: the CPU and every device, but what a battery or RAM keeps stays.
    Hard,
    /// Power came on.
    PowerOn,
}

/// What devices have asked of the board during a call.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Requests {
    /// The strongest reset asked for.
    pub reset: Option<ResetKind>,
    /// Some device decodes other addresses than before.
    pub remap: bool,
    /// A DMA controller may have a cycle to run.
    pub dma: bool,
    /// The display finished a frame.
    pub frame_ready: bool,
    /// The power supply was told to switch off.
    pub power_off: bool,
    /// A debug port asked to end the run with this exit code.
    pub exit: Option<u8>,
}

impl Requests {
    /// Whether nothing was asked.
    #[inline]
    pub fn is_empty(&self) -> bool {
        let any = self.remap | self.dma | self.frame_ready | self.power_off;
        !any && self.reset.is_none() && self.exit.is_none()
    }
}

/// What the devices of a board share: events, wires, address maps, requests. The board owns one.
#[derive(Clone, Debug, Default)]
pub struct Fabric {
    /// Armed timers.
    pub events: EventQueue,
    /// Wires and the transitions under way.
    pub wires: Wires,
    /// Physical memory.
    pub memory: MemoryMap,
    /// I/O ports.
    pub ports: PortMap,
    /// What was asked of the board.
    pub requests: Requests,
    /// Writes by bus masters that did not hit memory; the board delivers them to devices after the call.
    pub posted: Vec<(Gpa, u8)>,
    /// What APICs have sent; the board delivers it after the call.
    pub apic_cycles: VecDeque<(DeviceId, ApicCycle)>,
}

impl Fabric {
    /// Whether nothing waits for the board: no transition, no cycle, no posted write, no request.
    #[inline]
    pub fn is_settled(&self) -> bool {
        !self.wires.has_transitions()
            && self.apic_cycles.is_empty()
            && self.posted.is_empty()
            && self.requests.is_empty()
    }
}

/// The most posted writes to devices that one call may leave; more are dropped, as by a bridge that gives up.
const POSTED_MAX: usize = 1 << 16;

/// Where a context has the time from. Few calls ask for it.
enum Now<'a> {
    At(VirtTime),
    By(&'a InsnClock),
}

/// A device's view of the board during one call.
pub struct Cx<'a> {
    now: Now<'a>,
    device: DeviceId,
    fabric: &'a mut Fabric,
}

impl<'a> Cx<'a> {
    /// A context for one call into `device`; the board makes these.
    pub fn new(now: VirtTime, device: DeviceId, fabric: &'a mut Fabric) -> Self {
        Self {
            now: Now::At(now),
            device,
            fabric,
        }
    }

    /// The same, at the moment that a clock shows.
    #[inline]
    pub fn by_clock(clock: &'a InsnClock, device: DeviceId, fabric: &'a mut Fabric) -> Self {
        Self {
            now: Now::By(clock),
            device,
            fabric,
        }
    }

    /// The present moment.
    #[inline]
    pub fn now(&self) -> VirtTime {
        match self.now {
            Now::At(now) => now,
            Now::By(clock) => clock.now(),
        }
    }

    /// Arms (or re-arms) one of the device's timers.
    pub fn arm(&mut self, timer: TimerId, at: VirtTime) {
        self.fabric.events.arm(self.device, timer, at);
    }

    /// Disarms one of the device's timers.
    pub fn disarm(&mut self, timer: TimerId) {
        self.fabric.events.disarm(self.device, timer);
    }

    /// When one of the device's timers fires, if it is armed.
    pub fn armed(&self, timer: TimerId) -> Option<VirtTime> {
        self.fabric.events.armed(self.device, timer)
    }

    /// Drives an output pin. Setting the level that it has already does nothing.
    #[inline]
    pub fn set_line(&mut self, line: Line, high: bool) {
        self.fabric.wires.set(line, high);
    }

    /// The level that an output pin drives.
    pub fn line_level(&self, line: Line) -> bool {
        self.fabric.wires.line_level(line)
    }

    /// Reads physical memory as a bus master. What is no memory reads as FFh.
    pub fn dma_read(&mut self, gpa: Gpa, buffer: &mut [u8]) {
        self.fabric.memory.read(gpa, buffer);
    }

    /// Writes physical memory as a bus master. Bytes that fall on another device's registers are delivered after
    /// this call.
    pub fn dma_write(&mut self, gpa: Gpa, data: &[u8]) {
        let posted = &mut self.fabric.posted;
        self.fabric.memory.write(gpa, data, |at, byte| {
            if posted.len() < POSTED_MAX {
                posted.push((at, byte));
            }
        });
    }

    /// Sends something to the other APICs. It is delivered after this call.
    pub fn apic_send(&mut self, cycle: ApicCycle) {
        self.fabric.apic_cycles.push_back((self.device, cycle));
    }

    /// Asks for a reset once this call is over.
    pub fn request_reset(&mut self, kind: ResetKind) {
        let asked = &mut self.fabric.requests.reset;
        *asked = (*asked).max(Some(kind));
    }

    /// Says that [`crate::Device::decode`] now gives another answer.
    pub fn request_remap(&mut self) {
        self.fabric.requests.remap = true;
    }

    /// Says that [`crate::cap::DmaController::grant`] may have a cycle to run.
    pub fn request_dma(&mut self) {
        self.fabric.requests.dma = true;
    }

    /// Says that a frame is complete.
    pub fn frame_ready(&mut self) {
        self.fabric.requests.frame_ready = true;
    }

    /// Switches the power off.
    pub fn power_off(&mut self) {
        self.fabric.requests.power_off = true;
    }

    /// Ends the run with an exit code, as a debug port does.
    pub fn exit(&mut self, code: u8) {
        self.fabric.requests.exit = Some(code);
    }
}
