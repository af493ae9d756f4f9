//! A bench for one device without a CPU or a board, and the tests that every device must pass.

use crate::bus::{Access, Decode, Gpa, MemoryTarget, PortTarget, Route, Width};
use crate::cap::{ApicCycle, MmioAddr, PortAddr};
use crate::cx::{Cx, Fabric, Requests, ResetKind};
use crate::device::{Device, DeviceId, DynDevice};
use crate::event::TimerId;
use crate::ram::Ram;
use crate::snapshot::Snapshot;
use crate::time::VirtTime;
use crate::wire::{Line, NetId, Pin, Wires};

/// A small deterministic generator (xorshift64*) for tests; the same seed gives the same numbers everywhere.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// A generator; 0 is taken as 1.
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }
    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
    /// A number below `n` (0 if `n` is 0).
    pub fn below(&mut self, n: u64) -> u64 {
        self.next_u64().checked_rem(n).unwrap_or(0)
    }
}

/// Makes the lines of a device under test.
#[derive(Debug)]
pub struct Lines<'a>(&'a mut Wires);

impl Lines<'_> {
    /// A line on a net of its own.
    pub fn line(&mut self, name: &str) -> Line {
        let net = self.0.add_net(name);
        self.0.add_line(net)
    }
}

/// A device on a bench: its ports, memory, timers and wires, 16 MiB of RAM for its DMA, and a clock moved by hand.
pub struct Bench<D: Device> {
    /// The device.
    pub device: D,
    /// RAM at physical address 0.
    pub ram: Ram,
    fabric: Fabric,
    now: VirtTime,
    edges: Vec<(VirtTime, NetId, bool)>,
    apic_cycles: Vec<ApicCycle>,
}

const DEVICE: DeviceId = DeviceId(0);
const BENCH_RAM_BYTES: usize = 16 << 20;
/// The most APIC cycles that are kept for a test to look at.
const APIC_CYCLES_MAX: usize = 1 << 12;
/// A device that fires more events than this while time stands still hangs its board.
const EVENTS_AT_ONE_MOMENT_MAX: u32 = 100_000;

impl<D: Device> Bench<D> {
    /// Puts the device that `make` builds on a bench and powers it on.
    pub fn new(make: impl FnOnce(&mut Lines<'_>) -> D) -> Self {
        let mut fabric = Fabric::default();
        let device = make(&mut Lines(&mut fabric.wires));
        let ram = Ram::new("bench", BENCH_RAM_BYTES).expect("16 MiB of host memory");
        let mut bench = Self {
            device,
            ram,
            fabric,
            now: VirtTime::ZERO,
            edges: Vec::new(),
            apic_cycles: Vec::new(),
        };
        bench.remap();
        bench.reset(ResetKind::PowerOn);
        bench
    }

    fn remap(&mut self) {
        let mut decode = Decode::default();
        decode.begin(DEVICE);
        Device::decode(&self.device, &mut decode);
        let len = self.ram.len_bytes() as u64;
        decode.ram(
            0,
            len,
            &self.ram,
            0,
            Access::ReadWrite,
            Decode::PRIORITY_BACKGROUND,
        );
        self.fabric.memory.rebuild(&decode);
        self.fabric.ports.rebuild(&decode);
    }

    /// Calls into the device with a context, then settles wires and remaps.
    pub fn with<R>(&mut self, call: impl FnOnce(&mut D, &mut Cx<'_>) -> R) -> R {
        let r = call(
            &mut self.device,
            &mut Cx::new(self.now, DEVICE, &mut self.fabric),
        );
        while let Some((net, level)) = self.fabric.wires.next_transition() {
            self.edges.push((self.now, net, level));
        }
        // Nobody else is on the bench who could take them.
        self.fabric.posted.clear();
        let sent = self.fabric.apic_cycles.drain(..).map(|c| c.1);
        self.apic_cycles.extend(sent);
        self.apic_cycles.truncate(APIC_CYCLES_MAX);
        if std::mem::take(&mut self.fabric.requests.remap) {
            self.remap();
        }
        r
    }

    /// Resets the device.
    pub fn reset(&mut self, kind: ResetKind) {
        self.with(|d, cx| Device::reset(d, kind, cx));
    }

    /// The present moment.
    pub fn now(&self) -> VirtTime {
        self.now
    }

    /// Moves time forward, firing timers at their exact moments.
    pub fn advance_ns(&mut self, ns: u64) {
        let end = self.now.plus_ns(ns);
        let mut fired_here = 0;
        while let Some(e) = self.fabric.events.pop_due(end) {
            fired_here = if e.at > self.now { 0 } else { fired_here + 1 };
            assert!(
                fired_here < EVENTS_AT_ONE_MOMENT_MAX,
                "{}: timer {} keeps firing at one moment",
                D::KIND,
                e.timer
            );
            self.now = self.now.max(e.at);
            self.fire(e.timer);
        }
        self.now = end;
    }

    /// Moves time to the next armed timer and fires it; false if none is armed.
    pub fn run_to_next_timer(&mut self) -> bool {
        let Some(e) = self.fabric.events.pop_due(VirtTime::NEVER) else {
            return false;
        };
        self.now = self.now.max(e.at);
        self.fire(e.timer);
        true
    }

    fn fire(&mut self, timer: TimerId) {
        self.with(|d, cx| {
            if let Some(t) = Device::timers(d) {
                t.expired(timer, cx);
            }
        });
    }

    /// When a timer fires, if it is armed.
    pub fn armed(&self, timer: TimerId) -> Option<VirtTime> {
        self.fabric.events.armed(DEVICE, timer)
    }

    fn port(&mut self, at: PortAddr, width: Width, write: Option<u32>) -> u32 {
        self.with(|d, cx| match (Device::port_io(d), write) {
            (None, _) => u32::MAX,
            (Some(p), None) => p.port_read(at, width, cx),
            (Some(p), Some(v)) => {
                p.port_write(at, width, v, cx);
                0
            }
        })
    }

    /// Reads a port by its number, as the bus would: split into bytes where the device is narrower.
    pub fn read(&mut self, port: u16, width: Width) -> u32 {
        match self.fabric.ports.read_target(port) {
            PortTarget::Registers(_, at, native) if width <= native => {
                self.port(at, width, None) & width.mask() as u32
            }
            PortTarget::Registers(..) => (0..width.bytes() as u16)
                .map(|i| self.read(port.wrapping_add(i), Width::Byte) << (8 * i))
                .fold(0, |a, b| a | b),
            _ => width.mask() as u32,
        }
    }

    /// Writes a port by its number, as the bus would.
    pub fn write(&mut self, port: u16, width: Width, value: u32) {
        match self.fabric.ports.write_target(port) {
            PortTarget::Registers(_, at, native) if width <= native => {
                self.port(at, width, Some(value & width.mask() as u32));
            }
            PortTarget::Registers(..) => {
                for i in 0..width.bytes() as u16 {
                    self.write(port.wrapping_add(i), Width::Byte, (value >> (8 * i)) & 0xFF);
                }
            }
            _ => {}
        }
    }

    /// Reads a byte from a port.
    pub fn inb(&mut self, port: u16) -> u8 {
        self.read(port, Width::Byte) as u8
    }

    /// Writes a byte to a port.
    pub fn outb(&mut self, port: u16, value: u8) {
        self.write(port, Width::Byte, value.into());
    }

    /// Reads memory-mapped registers or memory at a physical address.
    pub fn mem_read(&mut self, gpa: u64, width: Width) -> u64 {
        match self.fabric.memory.read_route(Gpa(gpa), false) {
            Route::Mmio(m) if width <= m.native => self.with(|d, cx| {
                let at = MmioAddr {
                    region: m.region,
                    offset: m.offset,
                };
                Device::mmio(d).map_or(u64::MAX, |p| p.mmio_read(at, width, cx)) & width.mask()
            }),
            Route::Mmio(_) => (0..width.bytes() as u64)
                .map(|i| self.mem_read(gpa + i, Width::Byte) << (8 * i))
                .fold(0, |a, b| a | b),
            _ => {
                let mut b = [0xFF; 8];
                self.fabric.memory.read(Gpa(gpa), &mut b[..width.bytes()]);
                u64::from_le_bytes(b) & width.mask()
            }
        }
    }

    /// Writes memory-mapped registers or memory at a physical address.
    pub fn mem_write(&mut self, gpa: u64, width: Width, value: u64) {
        match self.fabric.memory.write_route(Gpa(gpa), false) {
            Route::Mmio(m) if width <= m.native => self.with(|d, cx| {
                let at = MmioAddr {
                    region: m.region,
                    offset: m.offset,
                };
                if let Some(p) = Device::mmio(d) {
                    p.mmio_write(at, width, value & width.mask(), cx);
                }
            }),
            Route::Mmio(_) => {
                for i in 0..width.bytes() as u64 {
                    self.mem_write(gpa + i, Width::Byte, value >> (8 * i));
                }
            }
            _ => {
                self.fabric
                    .memory
                    .write(Gpa(gpa), &value.to_le_bytes()[..width.bytes()], |_, _| {})
            }
        }
    }

    /// Drives one of the device's input pins.
    pub fn input(&mut self, pin: Pin, high: bool) {
        self.with(|d, cx| {
            if let Some(i) = Device::inputs(d) {
                i.input(pin, high, cx);
            }
        });
    }

    /// The level of one of the device's output lines.
    pub fn level(&self, line: Line) -> bool {
        self.fabric.wires.line_level(line)
    }

    /// The edges of a line since the last call: (when, rising?).
    pub fn take_edges(&mut self, line: Line) -> Vec<(VirtTime, bool)> {
        let Some(net) = self.fabric.wires.net_of(line) else {
            return Vec::new();
        };
        let seen = self
            .edges
            .iter()
            .filter(|e| e.1 == net)
            .map(|&(at, _, level)| (at, level))
            .collect();
        self.edges.retain(|e| e.1 != net);
        seen
    }

    /// What the device sent to other APICs since the last call.
    pub fn take_apic_cycles(&mut self) -> Vec<ApicCycle> {
        std::mem::take(&mut self.apic_cycles)
    }

    /// What the device asked of the board since the last call.
    pub fn take_requests(&mut self) -> Requests {
        std::mem::take(&mut self.fabric.requests)
    }

    /// What the device decodes now.
    pub fn decoded(&self) -> Decode {
        let mut decode = Decode::default();
        decode.begin(DEVICE);
        Device::decode(&self.device, &mut decode);
        decode
    }

    /// The device's saved state.
    pub fn save(&self) -> Vec<u8> {
        self.device.save().expect("a state that can be encoded")
    }

    /// One random thing that a guest or the passing of time can do to the device. Gives what the device
    /// answered.
    pub fn random_step(&mut self, rng: &mut Rng) -> u64 {
        let decoded = self.decoded();
        let width = [Width::Byte, Width::Byte, Width::Word, Width::Dword][rng.below(4) as usize];
        let value = rng.next_u64();
        match rng.below(16) {
            0 => {
                self.advance_ns(rng.below(3_000_000));
                0
            }
            1 => u64::from(self.run_to_next_timer()),
            2 => {
                let (pin, high) = (rng.below(16) as Pin, rng.below(2) == 1);
                self.input(pin, high);
                0
            }
            3 => self.with(|d, cx| {
                let offset = (value & 0xFF) as u8;
                let width = if offset & 3 == 0 { width } else { Width::Byte };
                let data = (value >> 8) as u32 & width.mask() as u32;
                match Device::pci(d) {
                    Some(p) if value >> 63 == 0 => p.config_read(offset, width, cx).into(),
                    Some(p) => {
                        p.config_write(offset, width, data, cx);
                        0
                    }
                    None => 0,
                }
            }),
            4 => self.with(|d, cx| {
                let tc = value & 1 == 1;
                match Device::isa_dma(d) {
                    Some(p) if value & 2 == 0 => p.dack_read(tc, cx).into(),
                    Some(p) => {
                        p.dack_write((value >> 8) as u16, tc, cx);
                        0
                    }
                    None => 0,
                }
            }),
            5 => self.with(|d, cx| {
                let acknowledged = Device::int_ack(d).map(|i| format!("{:?}", i.acknowledge(cx)));
                let granted = Device::dma_controller(d).and_then(|c| c.grant(cx));
                acknowledged.map_or(0, |a| a.len() as u64)
                    + granted.map_or(0, |g| g.address.0.wrapping_mul(8) + u64::from(g.channel))
            }),
            6 => self.with(|d, cx| match Device::serial_port(d) {
                Some(s) if s.receive_room() > 0 => {
                    s.receive(value as u8, cx);
                    1
                }
                _ => 0,
            }),
            n if n < 13 || decoded.memory_ranges().is_empty() => {
                let ranges = decoded.port_ranges();
                if ranges.is_empty() {
                    return 0;
                }
                let r = &ranges[rng.below(ranges.len() as u64) as usize];
                let port = r.base.wrapping_add(rng.below(r.len.into()) as u16);
                if value >> 63 == 0 {
                    self.read(port, width).into()
                } else {
                    self.write(port, width, value as u32);
                    0
                }
            }
            _ => {
                let ranges = decoded.memory_ranges();
                let r = &ranges[rng.below(ranges.len() as u64) as usize];
                if matches!(r.target, MemoryTarget::Ram { .. }) && rng.below(4) != 0 {
                    return 0;
                }
                let gpa = r.base + rng.below(r.len);
                if value >> 63 == 0 {
                    self.mem_read(gpa, width)
                } else {
                    self.mem_write(gpa, width, value);
                    0
                }
            }
        }
    }
}

/// The laws that every device must keep. `make` builds a fresh, identical device each time.
///
/// 1. A second power-on reset changes nothing.
/// 2. Random accesses neither panic nor hang.
/// 3. A state saved at a random point, restored into a fresh device with the same timers and wire levels, goes on
///    exactly as the original: the same answers, the same lines, the same saved state.
/// 4. Damaged state is refused or harmless: no panic.
pub fn conformance<D: Device>(make: impl Fn(&mut Lines<'_>) -> D) {
    let mut bench = Bench::new(&make);
    let fresh = bench.save();
    bench.reset(ResetKind::PowerOn);
    assert_eq!(
        bench.save(),
        fresh,
        "{}: a second power-on reset changed the state",
        D::KIND
    );
    for seed in 1..=20 {
        let mut rng = Rng::new(seed);
        let mut original = Bench::new(&make);
        for _ in 0..rng.below(2000) {
            original.random_step(&mut rng);
        }
        let saved = original.save();
        let mut copy = Bench::new(&make);
        if let Err(e) = copy.device.load(D::State::VERSION, &saved) {
            panic!("{}: its own state was refused: {e}", D::KIND);
        }
        assert_eq!(
            copy.save(),
            saved,
            "{}: save, restore, save differs",
            D::KIND
        );
        copy.fabric.events = original.fabric.events.clone();
        assert!(
            copy.fabric
                .wires
                .restore_levels(&original.fabric.wires.levels())
        );
        copy.now = original.now;
        let mut page = vec![0; original.ram.len_bytes()];
        original.ram.read(0, &mut page);
        copy.ram.write(0, &page);
        let owned = |b: &Bench<D>| -> Vec<Ram> {
            let decode = b.decoded();
            let mut all = Device::memory_blocks(&b.device);
            for r in decode.memory_ranges() {
                if let MemoryTarget::Ram { ram, .. } = &r.target
                    && !all.contains(ram)
                {
                    all.push(ram.clone());
                }
            }
            all
        };
        Device::restored(&mut copy.device);
        copy.remap();
        for (from, to) in owned(&original).iter().zip(owned(&copy)) {
            let mut bytes = vec![0; from.len_bytes()];
            from.read(0, &mut bytes);
            to.write(0, &bytes);
        }
        original.edges.clear();
        copy.edges.clear();
        let mut twin = rng.clone();
        for step in 0..500 {
            let (a, b) = (original.random_step(&mut rng), copy.random_step(&mut twin));
            assert_eq!(
                a,
                b,
                "{}: seed {seed}, answer {step} after a restore differs",
                D::KIND
            );
        }
        assert_eq!(
            original.edges,
            copy.edges,
            "{}: seed {seed}: lines differ",
            D::KIND
        );
        assert_eq!(
            original.save(),
            copy.save(),
            "{}: seed {seed}: states differ",
            D::KIND
        );
        for _ in 0..50 {
            let mut bad = saved.clone();
            for _ in 0..=rng.below(3) {
                if let Some(n) = (bad.len() as u64).checked_sub(1) {
                    bad[rng.below(n + 1) as usize] = rng.next_u64() as u8;
                }
            }
            bad.truncate(
                bad.len() - (rng.below(8) == 0) as usize * rng.below(bad.len() as u64) as usize,
            );
            let mut victim = Bench::new(&make);
            if victim.device.load(D::State::VERSION, &bad).is_ok() {
                Device::restored(&mut victim.device);
                victim.remap();
                for _ in 0..100 {
                    victim.random_step(&mut rng);
                }
            }
        }
    }
}

/// The law that a saved state keeps its shape as long as it keeps its version.
///
/// `folder` holds `golden-v<VERSION>.bin`: the state of a device after some random steps, saved once when the version
/// was made. It must still load, and save as the same bytes. With `BOXWOOD_WRITE_GOLDEN` in the environment a missing
/// file is written; an existing one never is, so a new shape needs a new version.
pub fn golden<D: Device>(make: impl Fn(&mut Lines<'_>) -> D, folder: &str) {
    let file = std::path::Path::new(folder).join(format!("golden-v{}.bin", D::State::VERSION));
    if !file.exists() && std::env::var_os("BOXWOOD_WRITE_GOLDEN").is_some() {
        let mut bench = Bench::new(&make);
        let mut rng = Rng::new(1);
        for _ in 0..1000 {
            bench.random_step(&mut rng);
        }
        std::fs::write(&file, bench.save()).expect("the golden file can be written");
    }
    let saved = match std::fs::read(&file) {
        Ok(saved) => saved,
        Err(e) => panic!("{}: {}: {e}", D::KIND, file.display()),
    };
    let mut bench = Bench::new(&make);
    if let Err(e) = bench.device.load(D::State::VERSION, &saved) {
        panic!(
            "{}: a state of version {} is refused: {e}",
            D::KIND,
            D::State::VERSION
        );
    }
    assert_eq!(
        bench.save(),
        saved,
        "{}: the state's shape has changed, its version has not",
        D::KIND
    );
}
