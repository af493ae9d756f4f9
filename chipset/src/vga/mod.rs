//! The VGA, with the Bochs VBE extension.
//!
//! **What it is**: IBM's Video Graphics Array (IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem"):
//! sequencer, CRT controller, graphics controller, attribute controller and DAC around four maps of 64 KiB; to which
//! the "DISPI" interface of Bochs adds linear modes of up to 2560 x 1600 in 4 to 32 bits (Bochs' "VBE Display API").
//! On PCI it is function 1234:1111 as QEMU's specification "standard-vga" documents it; on ISA it stands at its
//! fixed addresses.
//!
//! **Ports**: 3B4h, 3B5h, 3BAh or 3D4h, 3D5h, 3DAh; 3C0h-3CFh; 1CEh, 1CFh. **Memory**: A0000h-BFFFFh; frame buffer
//! (BAR 0); ports and DISPI registers memory-mapped (BAR 2: 400h, 500h); BIOS (expansion ROM, or C0000h on ISA).
//! **Interrupt**: vertical retrace (IRQ 2 on a PS/2; not connected on most cards).
//!
//! **Not implemented**
//! - The border: it is not part of the frame. Blanking that begins inside the displayed part is not drawn, and
//!   display enable skew has no effect.
//! - Shift loads of every second or fourth character clock (sequencer 01h bits 2 and 4), which only EGA cards with
//!   64 KiB need.
//! - The interlaced modes, and the light pen, which the VGA itself does not have.
//! - BAR 2's EDID block and its QEMU extended registers (byte order): they read FFh.
//! - DISPI: separate read and write banks and 32 KiB granularity, DDC.
//!
//! **Known inaccuracies**
//! - A frame is drawn in one go from the registers as they stand at the beginning of vertical retrace: changes in the
//!   middle of a frame are seen from the next one on.
//! - A change of the timing registers begins a new frame at once. Clock selects 2 and 3 (feature connector) run at
//!   25.175 MHz. A stopped sequencer blanks the screen but the raster goes on.
//! - The switch-sense comparator looks at displayed dots only; in the border it senses black.
//! - The boot display's expansion ROM answers by its own enable bit, even while the command register keeps memory
//!   space off, which by PCI 2.1, section 6.2.5.2, takes precedence: firmware written for Bochs copies the ROM before it
//!   turns memory space on.
//! - DISPI modes have a raster of 60 Hz of our own, as the interface defines none.

mod attribute;
mod crtc;
mod dac;
mod dispi;
mod graphics;
mod memory;
mod registers;
mod scanout;
mod sequencer;
pub mod spec;
#[cfg(test)]
mod tests;
mod text;
mod timing;

pub use memory::VideoMemory;
use memory::Window;
pub use registers::Registers;
pub use scanout::{Blink, scanout};
pub use text::text;
pub use timing::{Beam, Raster};

use crate::pci::{Bar, Command, ConfigRegisters, ConfigSpace, WindowOf};
use dispi::Effect;
use emu_core::bus::{Access, Decode};
use emu_core::cap::{Display, Mmio, MmioAddr, PciFunction, PortAddr, PortIo, TextScreen, Timers};
use emu_core::cx::{Cx, ResetKind};
use emu_core::event::TimerId;
use emu_core::host::Frame;
use emu_core::ram::Ram;
use emu_core::snapshot::Snapshot;
use emu_core::{Device, Line, VirtTime, Width};
use scanout::Painter;
use serde::{Deserialize, Serialize};
use spec::{MiscOutput, Status0, Status1, crtc as crtc_spec, dispi as dispi_spec};

/// How the card is plugged in.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Slot {
    /// A PCI function with BARs, which answers once its command register says so.
    Pci,
    /// The same, but the command register enables it from reset on and its BIOS stands at C0000h too, as on the
    /// boards of Bochs: for firmware that looks for a VGA BIOS before it sets up PCI.
    PciBootDisplay,
    /// An ISA card: everything at its fixed address.
    Isa,
}

const RETRACE: TimerId = 0;
/// Memory regions.
const WINDOW: u16 = 0;
const REGISTERS: u16 = 1;
/// Where an ISA card's BIOS stands.
const ISA_ROM_BASE: u64 = 0xC_0000;
/// The comparator's reference, 335 of 700 millivolts, as a level of 255.
const SENSE_LEVEL: u32 = 255 * 335 / 700;

/// What a guest can change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    registers: Registers,
    pci: ConfigRegisters,
    interrupt_pending: bool,
    /// When the present raster began, and how many frames there were before.
    raster_epoch: VirtTime,
    frames_before: u64,
    /// The frame that is on the screen: what blinks looks at it.
    shown_frame: u64,
}

impl Snapshot for State {
    const VERSION: u16 = 1;
    fn validate(&self) -> Result<(), &'static str> {
        self.registers.validate()
    }
}

/// The card.
#[derive(Debug)]
pub struct Vga {
    slot: Slot,
    vram: Ram,
    rom: Option<Ram>,
    interrupt: Line,
    config: ConfigSpace,
    raster: Raster,
    /// What the registers make of the window.
    window: Window,
    state: State,
}

impl Vga {
    /// A card with the video memory given (256 KiB at least; a power of two, 16 MiB as a rule), the image of its BIOS
    /// and its interrupt output.
    pub fn new(slot: Slot, vram: Ram, rom: Option<Ram>, interrupt: Line) -> Self {
        let bytes = |ram: &Ram| u32::try_from(ram.len_bytes().next_power_of_two());
        let mut config = ConfigSpace::new(spec::pci::VENDOR, spec::pci::DEVICE)
            .revision(spec::pci::REVISION)
            .class(0x03, 0x00, 0x00)
            .command(Command::IO_SPACE | Command::MEMORY_SPACE)
            .bar(
                spec::pci::BAR_FRAME_BUFFER,
                Bar::Memory {
                    bytes: bytes(&vram).unwrap_or(1 << 31),
                    prefetchable: true,
                },
            )
            .bar(
                spec::pci::BAR_REGISTERS,
                Bar::Memory {
                    bytes: spec::pci::REGISTERS_BYTES,
                    prefetchable: false,
                },
            );
        if slot == Slot::PciBootDisplay {
            let enabled = Command::IO_SPACE | Command::MEMORY_SPACE;
            config = config
                .value(crate::pci::COMMAND, &enabled.bits().to_le_bytes())
                .rom_decodes_alone();
        }
        if let Some(rom) = &rom {
            config = config.rom(bytes(rom).unwrap_or(1 << 31));
        }
        let registers = Registers::new(vram.len_bytes());
        Self {
            slot,
            raster: Raster::new(&registers),
            window: registers.present_window(),
            state: State {
                registers,
                pci: config.reset_values(),
                interrupt_pending: false,
                raster_epoch: VirtTime::ZERO,
                frames_before: 0,
                shown_frame: 0,
            },
            vram,
            rom,
            interrupt,
            config,
        }
    }

    /// The registers, for looking at.
    pub fn registers(&self) -> &Registers {
        &self.state.registers
    }

    fn beam(&self, now: VirtTime) -> Beam {
        self.raster.beam(self.state.raster_epoch, now)
    }

    fn frame_number(&self, now: VirtTime) -> u64 {
        self.state.frames_before.wrapping_add(self.beam(now).frame)
    }

    /// Begins a new raster if the registers describe another one than before.
    fn retime(&mut self, cx: &mut Cx<'_>) {
        let raster = Raster::new(&self.state.registers);
        if raster != self.raster {
            self.state.frames_before = self.frame_number(cx.now()).wrapping_add(1);
            self.state.raster_epoch = cx.now();
            self.raster = raster;
            self.arm(cx);
        }
    }

    fn arm(&self, cx: &mut Cx<'_>) {
        let at = self.raster.next_retrace(self.state.raster_epoch, cx.now());
        cx.arm(RETRACE, at);
    }

    fn drive_interrupt(&self, cx: &mut Cx<'_>) {
        let enabled = self.state.registers.crtc.interrupt_enabled();
        cx.set_line(self.interrupt, self.state.interrupt_pending && enabled);
    }

    /// The DAC address of the dot that the beam draws; `None` where it draws no picture.
    fn dot_at_beam(&self, now: VirtTime) -> Option<u8> {
        let (r, beam) = (&self.state.registers, self.beam(now));
        let blank = !r.sequencer.runs() || r.sequencer.screen_off() || r.dispi.mode().is_some();
        if blank || !self.raster.shows(&beam) {
            return None;
        }
        if !r.attribute.shows_picture() {
            return Some(r.attribute.overscan());
        }
        let blink = Blink::at(self.frame_number(now));
        let painter = Painter::new(r, &self.vram, blink);
        Some(painter.dot(&painter.line(beam.line as u32), beam.dot as usize))
    }

    fn status_0(&self, now: VirtTime) -> Status0 {
        let mut status = Status0::empty();
        status.set(Status0::INTERRUPT, self.state.interrupt_pending);
        let dac = &self.state.registers.dac;
        let rgb = self.dot_at_beam(now).map_or(0, |dot| dac.rgb(dot));
        let above = (0..3).any(|i| (rgb >> (8 * i)) & 0xFF > SENSE_LEVEL);
        status.set(Status0::SWITCH_SENSE, !above);
        status
    }

    fn status_1(&self, now: VirtTime) -> Status1 {
        let beam = self.beam(now);
        let mut status = Status1::empty();
        status.set(Status1::DISPLAY_DISABLED, !self.raster.shows(&beam));
        status.set(Status1::VERTICAL_RETRACE, self.raster.in_retrace(&beam));
        let dot = self.dot_at_beam(now).unwrap_or(0);
        let outputs = self.state.registers.attribute.diagnostic(dot);
        status.set(Status1::DIAGNOSTIC_0, outputs & 1 != 0);
        status.set(Status1::DIAGNOSTIC_1, outputs & 2 != 0);
        status
    }

    fn read_port(&mut self, port: u16, cx: &mut Cx<'_>) -> u8 {
        if port == self.state.registers.status_port() {
            self.state.registers.attribute.reset_flip_flop();
            return self.status_1(cx.now()).bits();
        }
        if port == spec::PORT_GENERAL + spec::general::STATUS_0 {
            return self.status_0(cx.now()).bits();
        }
        self.state.registers.read(port)
    }

    fn write_port(&mut self, port: u16, value: u8, cx: &mut Cx<'_>) {
        let decoded = self.state.registers.decoded();
        self.state.registers.write(port, value);
        self.window = self.state.registers.present_window();
        if self.state.registers.decoded() != decoded {
            cx.request_remap();
        }
        let crtc = &self.state.registers.crtc;
        if port == self.state.registers.crtc_port() + 1
            && usize::from(crtc.index()) == crtc_spec::VERTICAL_RETRACE_END
        {
            if crtc.interrupt_cleared() {
                self.state.interrupt_pending = false;
            }
            self.drive_interrupt(cx);
        }
        self.retime(cx);
    }

    fn write_dispi(&mut self, index: u16, value: u16, cx: &mut Cx<'_>) {
        let r = &mut self.state.registers;
        let effect = r.dispi.write(index, value);
        r.dac.set_8_bits(r.dispi.dac_8_bits());
        self.window = r.present_window();
        if effect == Effect::ModeAndClear {
            self.vram.fill(0, self.vram.len_bytes(), 0);
        }
        self.retime(cx);
    }

    fn decodes(&self, space: Command) -> bool {
        self.slot == Slot::Isa || self.state.pci.command().contains(space)
    }
}

impl Device for Vga {
    const KIND: &'static str = "vga";
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }
    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    fn reset(&mut self, kind: ResetKind, cx: &mut Cx<'_>) {
        if kind == ResetKind::Init {
            return;
        }
        let registers = Registers::new(self.vram.len_bytes());
        self.window = registers.present_window();
        self.raster = Raster::new(&registers);
        self.state = State {
            registers,
            pci: self.config.reset_values(),
            interrupt_pending: false,
            raster_epoch: cx.now(),
            frames_before: 0,
            shown_frame: 0,
        };
        cx.set_line(self.interrupt, false);
        self.arm(cx);
        cx.request_remap();
    }

    fn restored(&mut self) {
        self.raster = Raster::new(&self.state.registers);
        self.window = self.state.registers.present_window();
    }

    fn decode(&self, decode: &mut Decode) {
        let r = &self.state.registers;
        if self.decodes(Command::IO_SPACE) {
            if r.subsystem_enabled() {
                for (base, len) in [
                    (r.crtc_port(), 2),
                    (r.status_port(), 1),
                    (spec::PORT_GENERAL, 16),
                ] {
                    decode.ports(base, base, len, Width::Byte);
                }
            } else {
                let port = spec::PORT_GENERAL + spec::general::SUBSYSTEM_ENABLE;
                decode.ports(port, port, 1, Width::Byte);
            }
            let port = dispi_spec::PORT_INDEX;
            decode.ports(port, port, 2, Width::Word);
        }
        if self.decodes(Command::MEMORY_SPACE) && r.subsystem_enabled() {
            decode.mmio(WINDOW, spec::WINDOW_BASE, spec::WINDOW_BYTES, Width::Qword);
        }
        if let Some(rom) = self.rom.as_ref().filter(|_| self.slot != Slot::Pci) {
            // Shadow RAM of the chipset covers it.
            let len = rom.len_bytes() as u64;
            let priority = Decode::PRIORITY_BACKGROUND;
            decode.ram(ISA_ROM_BASE, len, rom, 0, Access::Read, priority);
        }
        if self.slot == Slot::Isa {
            return;
        }
        for window in self.config.windows(&self.state.pci) {
            let priority = Decode::PRIORITY_DEVICE;
            match (window.of, &self.rom) {
                (WindowOf::Bar(spec::pci::BAR_FRAME_BUFFER), _) => decode.ram(
                    window.base,
                    window.bytes,
                    &self.vram,
                    0,
                    Access::ReadWrite,
                    priority,
                ),
                (WindowOf::Rom, Some(rom)) => {
                    decode.ram(window.base, window.bytes, rom, 0, Access::Read, priority);
                }
                _ => decode.mmio(REGISTERS, window.base, window.bytes, Width::Word),
            }
        }
    }

    fn memory_blocks(&self) -> Vec<Ram> {
        vec![self.vram.clone()]
    }
    fn port_io(&mut self) -> Option<&mut dyn PortIo> {
        Some(self)
    }
    fn mmio(&mut self) -> Option<&mut dyn Mmio> {
        Some(self)
    }
    fn pci(&mut self) -> Option<&mut dyn PciFunction> {
        (self.slot != Slot::Isa).then_some(self as &mut dyn PciFunction)
    }
    fn timers(&mut self) -> Option<&mut dyn Timers> {
        Some(self)
    }
    fn display(&mut self) -> Option<&mut dyn Display> {
        Some(self)
    }
}

impl PortIo for Vga {
    fn port_read(&mut self, at: PortAddr, width: Width, cx: &mut Cx<'_>) -> u32 {
        let port = at.region.wrapping_add(at.offset);
        let dispi = &self.state.registers.dispi;
        match (at.region, at.offset) {
            (dispi_spec::PORT_INDEX, 0) => u32::from(dispi.index()) & width.mask() as u32,
            (dispi_spec::PORT_INDEX, _) => {
                u32::from(dispi.read(dispi.index())) & width.mask() as u32
            }
            _ => self.read_port(port, cx).into(),
        }
    }

    fn port_write(&mut self, at: PortAddr, _width: Width, value: u32, cx: &mut Cx<'_>) {
        let port = at.region.wrapping_add(at.offset);
        match (at.region, at.offset) {
            (dispi_spec::PORT_INDEX, 0) => self.state.registers.dispi.set_index(value as u16),
            (dispi_spec::PORT_INDEX, _) => {
                let index = self.state.registers.dispi.index();
                self.write_dispi(index, value as u16, cx);
            }
            _ => self.write_port(port, value as u8, cx),
        }
    }
}

impl Mmio for Vga {
    fn mmio_read(&mut self, at: MmioAddr, width: Width, cx: &mut Cx<'_>) -> u64 {
        if at.region == WINDOW {
            let offset = at.offset as u32;
            let registers = &mut self.state.registers;
            return registers.read_by(&self.window, &self.vram, offset, width);
        }
        let dispi = spec::pci::REGISTERS_DISPI;
        if dispi.contains(&at.offset) {
            let word = self
                .state
                .registers
                .dispi
                .read(((at.offset - dispi.start) / 2) as u16);
            return u64::from(word >> (8 * (at.offset & 1))) & width.mask();
        }
        (0..width.bytes() as u64).fold(0, |v, i| {
            let byte = match self.mapped_port(at.offset + i) {
                Some(port) => self.read_port(port, cx),
                None => 0xFF,
            };
            v | u64::from(byte) << (8 * i)
        })
    }

    fn mmio_write(&mut self, at: MmioAddr, width: Width, value: u64, cx: &mut Cx<'_>) {
        if at.region == WINDOW {
            let offset = at.offset as u32;
            let registers = &mut self.state.registers;
            registers.write_by(&self.window, &self.vram, offset, width, value);
            return;
        }
        let dispi = spec::pci::REGISTERS_DISPI;
        if dispi.contains(&at.offset) {
            if at.offset.is_multiple_of(2) {
                let index = ((at.offset - dispi.start) / 2) as u16;
                self.write_dispi(index, value as u16, cx);
            }
            return;
        }
        for i in 0..width.bytes() as u64 {
            if let Some(port) = self.mapped_port(at.offset + i) {
                self.write_port(port, (value >> (8 * i)) as u8, cx);
            }
        }
    }
}

impl Vga {
    /// The port that an offset in BAR 2 stands for.
    fn mapped_port(&self, offset: u64) -> Option<u16> {
        let ports = spec::pci::REGISTERS_PORTS;
        ports
            .contains(&offset)
            .then(|| spec::PORT_GENERAL + (offset - ports.start) as u16)
    }
}

impl PciFunction for Vga {
    fn config_read(&mut self, offset: u8, width: Width, _cx: &mut Cx<'_>) -> u32 {
        self.config.read(&self.state.pci, offset, width)
    }
    fn config_write(&mut self, offset: u8, width: Width, value: u32, cx: &mut Cx<'_>) {
        let command = self.state.pci.command();
        let moved = self.config.write(&mut self.state.pci, offset, width, value);
        if moved || self.state.pci.command() != command {
            cx.request_remap();
        }
    }
}

impl Timers for Vga {
    fn expired(&mut self, _timer: TimerId, cx: &mut Cx<'_>) {
        self.state.shown_frame = self.frame_number(cx.now());
        cx.frame_ready();
        let crtc = &self.state.registers.crtc;
        if self.raster.retrace_happens() && crtc.interrupt_enabled() && !crtc.interrupt_cleared() {
            self.state.interrupt_pending = true;
            self.drive_interrupt(cx);
        }
        self.arm(cx);
    }
}

impl Display for Vga {
    fn scanout(&mut self, frame: &mut Frame) {
        let blink = Blink::at(self.state.shown_frame);
        scanout(&self.state.registers, &self.vram, blink, frame);
    }
    fn text(&self) -> Option<TextScreen> {
        text(&self.state.registers, &self.vram)
    }
}

impl Registers {
    /// What decides which addresses the card decodes.
    fn decoded(&self) -> (bool, bool) {
        (
            self.misc().contains(MiscOutput::COLOUR),
            self.subsystem_enabled(),
        )
    }
}
