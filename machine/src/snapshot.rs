//! Snapshots of a whole machine, and its state hash.
//!
//! Taken only between slices. Sections, in this order: `machine` (what was built), `board` (clock, events, wire
//! levels, CPU pins), `cpu0`, `device:NAME` for each device, `ram:NAME` for each block of memory (zstd). The hash
//! covers the same, with memory as it is instead of compressed.
//!
//! A snapshot is as untrusted as any other file: sizes come from the machine that was built, never from the file.

use crate::run::Machine;
use emu_core::backend::Attention;
use emu_core::event::EventQueue;
use emu_core::ram::{PAGE_BYTES, Ram};
use emu_core::snapshot::{Section, Snapshot, SnapshotError, Writer, decode, encode, read};
use emu_core::time::InsnClock;
use emu_core::x86::CpuState;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// Which medium was in a drive: enough to notice another one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MediaIdentity {
    /// The drive, as messages name it.
    pub drive: String,
    /// The medium, as messages name it.
    pub medium: String,
    /// Size in sectors.
    pub sectors: u64,
}

/// What was built.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct MachineSection {
    cpu_model: String,
    media: Vec<MediaIdentity>,
    blocks: Vec<(String, u64)>,
    devices: Vec<String>,
}

impl Snapshot for MachineSection {
    const VERSION: u16 = 1;
}

/// What belongs to no device.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct BoardSection {
    clock: InsnClock,
    events: EventQueue,
    levels: Vec<bool>,
    /// Latched CPU pins: NMI, SMI, INIT, RESET.
    latched: u32,
}

impl Snapshot for BoardSection {
    const VERSION: u16 = 1;
    fn validate(&self) -> Result<(), &'static str> {
        if !self.clock.is_valid() {
            return Err("the clock cannot have come to this");
        }
        if !self.events.is_valid() {
            return Err("the events are not in order");
        }
        Ok(())
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct CpuSection(CpuState);

impl Snapshot for CpuSection {
    const VERSION: u16 = 11;
    fn validate(&self) -> Result<(), &'static str> {
        if !self.0.is_valid() {
            return Err("the CPU cannot have come to this");
        }
        Ok(())
    }
}

const LATCHED: Attention = Attention::NMI
    .union(Attention::SMI)
    .union(Attention::INIT)
    .union(Attention::RESET);

/// The zstd level: fast, and good enough for memory that is mostly zeros.
const ZSTD_LEVEL: i32 = 1;

fn machine_section(m: &Machine) -> MachineSection {
    MachineSection {
        cpu_model: m.cpu_model.clone(),
        media: m.media.clone(),
        blocks: m
            .board
            .blocks
            .iter()
            .map(|b| (b.name().to_string(), b.len_bytes() as u64))
            .collect(),
        devices: m
            .board
            .slots
            .iter()
            .map(|s| format!("{}={}", s.name, s.device.kind()))
            .collect(),
    }
}

fn board_section(m: &Machine) -> BoardSection {
    BoardSection {
        clock: m.board.clock,
        events: m.board.fabric.events.clone(),
        levels: m.board.fabric.wires.levels(),
        latched: (m.board.attention & LATCHED).bits(),
    }
}

pub(crate) fn save(m: &Machine) -> Result<Vec<u8>, SnapshotError> {
    let mut w = Writer::default();
    let machine = encode("machine", &machine_section(m))?;
    w.section("machine", MachineSection::VERSION, &machine);
    let board = encode("board", &board_section(m))?;
    w.section("board", BoardSection::VERSION, &board);
    let cpu = encode("cpu0", &CpuSection(m.cpu.state()))?;
    w.section("cpu0", CpuSection::VERSION, &cpu);
    for slot in &m.board.slots {
        let name = format!("device:{}", slot.name);
        w.section(&name, slot.device.version(), &slot.device.save()?);
    }
    for block in &m.board.blocks {
        let name = format!("ram:{}", block.name());
        let mut bytes = vec![0; block.len_bytes()];
        block.read(0, &mut bytes);
        let packed = zstd::bulk::compress(&bytes, ZSTD_LEVEL).map_err(|e| broken(&name, e))?;
        w.section(&name, 1, &packed);
    }
    Ok(w.finish())
}

fn broken(section: &str, reason: impl ToString) -> SnapshotError {
    SnapshotError::Invalid {
        section: section.into(),
        reason: reason.to_string(),
    }
}

fn find<'a>(sections: &'a [Section<'a>], name: &str) -> Result<&'a Section<'a>, SnapshotError> {
    sections
        .iter()
        .find(|s| s.name == name)
        .ok_or_else(|| SnapshotError::Missing(name.into()))
}

fn get<S: Snapshot>(sections: &[Section<'_>], name: &str) -> Result<S, SnapshotError> {
    let section = find(sections, name)?;
    decode(name, section.version, section.payload)
}

/// The first difference between what was built here and what the snapshot was taken from, in words.
fn difference(here: &MachineSection, there: &MachineSection) -> Option<String> {
    if here.cpu_model != there.cpu_model {
        return Some(format!(
            "it was taken with the CPU {:?}, this machine has {:?}",
            there.cpu_model, here.cpu_model
        ));
    }
    if here.blocks != there.blocks {
        let of = |m: &MachineSection| {
            let (name, bytes) = m.blocks.first().cloned().unwrap_or_default();
            format!("{name} of {} KiB", bytes / 1024)
        };
        return Some(format!(
            "it was taken with other memory ({}; this machine: {})",
            of(there),
            of(here)
        ));
    }
    if here.devices != there.devices {
        let odd = there
            .devices
            .iter()
            .find(|d| !here.devices.contains(d))
            .or_else(|| here.devices.iter().find(|d| !there.devices.contains(d)));
        return Some(format!(
            "its devices differ from this machine's (first: {})",
            odd.map_or("their order", String::as_str)
        ));
    }
    for medium in &there.media {
        let same = here.media.iter().find(|m| m.drive == medium.drive);
        match same {
            Some(m) if m.sectors == medium.sectors => {}
            Some(m) => {
                return Some(format!(
                    "{} held {} of {} sectors, now {} of {}",
                    medium.drive, medium.medium, medium.sectors, m.medium, m.sectors
                ));
            }
            None => {
                return Some(format!(
                    "{} held {}, now it is empty",
                    medium.drive, medium.medium
                ));
            }
        }
    }
    None
}

pub(crate) fn restore(m: &mut Machine, file: &[u8]) -> Result<(), SnapshotError> {
    let sections = read(file)?;
    let built: MachineSection = get(&sections, "machine")?;
    if let Some(what) = difference(&machine_section(m), &built) {
        return Err(broken("machine", what));
    }
    let board: BoardSection = get(&sections, "board")?;
    let cpu: CpuSection = get(&sections, "cpu0")?;
    let expected = 3 + m.board.slots.len() + m.board.blocks.len();
    if sections.len() > expected
        && let Some(odd) = sections.iter().find(|s| !is_known(m, s.name))
    {
        return Err(SnapshotError::Unknown(odd.name.into()));
    }
    let known = |e: &emu_core::event::Event| {
        e.device == crate::board::BOARD || usize::from(e.device.0) < m.board.slots.len()
    };
    if !board.events.iter().all(known) {
        return Err(broken("board", "an event belongs to no device"));
    }
    if m.board.fabric.wires.levels().len() != board.levels.len() {
        return Err(broken("board", "the number of wires differs"));
    }
    for block in &m.board.blocks {
        unpack_block(block, &sections)?;
    }
    load_devices(m, &sections)?;
    // Nothing is refused from here on.
    for block in m.board.blocks.clone() {
        restore_block(&block, &unpack_block(&block, &sections)?);
    }
    let fits = m.board.fabric.wires.restore_levels(&board.levels);
    debug_assert!(fits, "the number of wires was checked above");
    m.board.clock = board.clock;
    m.board.fabric.events = board.events;
    m.board.fabric.requests = Default::default();
    m.board.fabric.posted.clear();
    m.board.fabric.apic_cycles.clear();
    for slot in &mut m.board.slots {
        slot.device.restored();
    }
    m.board.remap();
    m.board.attention = Attention::from_bits_truncate(board.latched) & LATCHED;
    m.board.sample_pins();
    m.board.attention |= Attention::MAP_CHANGED;
    m.cpu.set_state(&cpu.0);
    m.board.reschedule();
    Ok(())
}

/// Loads every device's state. If one is refused, all keep the state that they had.
fn load_devices(m: &mut Machine, sections: &[Section<'_>]) -> Result<(), SnapshotError> {
    let before: Vec<Vec<u8>> = m
        .board
        .slots
        .iter()
        .map(|s| s.device.save())
        .collect::<Result<_, _>>()?;
    let load = |slot: &mut crate::board::Slot| {
        let section = find(sections, &format!("device:{}", slot.name))?;
        slot.device.load(section.version, section.payload)
    };
    let loaded = m.board.slots.iter_mut().try_for_each(load);
    if loaded.is_err() {
        for (slot, state) in m.board.slots.iter_mut().zip(&before) {
            slot.device.load(slot.device.version(), state)?;
        }
    }
    loaded
}

fn is_known(m: &Machine, name: &str) -> bool {
    matches!(name, "machine" | "board" | "cpu0")
        || name
            .strip_prefix("device:")
            .is_some_and(|n| m.board.slots.iter().any(|s| s.name == n))
        || name
            .strip_prefix("ram:")
            .is_some_and(|n| m.board.blocks.iter().any(|b| b.name() == n))
}

/// The contents of a block of memory.
fn unpack_block(block: &Ram, sections: &[Section<'_>]) -> Result<Vec<u8>, SnapshotError> {
    let name = format!("ram:{}", block.name());
    let section = find(sections, &name)?;
    // The capacity is the block's own size, so a file cannot make us allocate more.
    let bytes =
        zstd::bulk::decompress(section.payload, block.len_bytes()).map_err(|e| broken(&name, e))?;
    if bytes.len() != block.len_bytes() {
        return Err(broken(&name, "it holds too few bytes"));
    }
    Ok(bytes)
}

fn restore_block(block: &Ram, bytes: &[u8]) {
    let zeros = [0; PAGE_BYTES];
    let mut old = [0; PAGE_BYTES];
    for (page, new) in bytes.chunks_exact(PAGE_BYTES).enumerate() {
        block.read(page * PAGE_BYTES, &mut old);
        // Pages that were never touched stay so: the host need not back them with memory.
        if old != new || (old != zeros && new == zeros) {
            block.write(page * PAGE_BYTES, new);
        }
    }
    // The CPU forgets all its code anyway.
    block.take_code_writes();
}

/// Something that the state hash covers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatePart {
    /// `time`, `events`, `wires`, `pins`, `cpu0`, `device:NAME` or `ram:NAME`.
    pub name: String,
    /// Its digest.
    pub hash: u128,
}

/// The digests of all parts of the state, in a fixed order.
pub(crate) fn state_parts(m: &Machine) -> Result<Vec<StatePart>, SnapshotError> {
    let mut parts = Vec::with_capacity(5 + m.board.slots.len() + m.board.blocks.len());
    let mut add = |name: String, hash| parts.push(StatePart { name, hash });
    let board = board_section(m);
    add("time".into(), hash_of("time", &board.clock)?);
    add("events".into(), hash_of("events", &board.events)?);
    add("wires".into(), hash_of("wires", &board.levels)?);
    add("pins".into(), hash_of("pins", &board.latched)?);
    add("cpu0".into(), hash_of("cpu0", &m.cpu.state())?);
    for slot in &m.board.slots {
        add(
            format!("device:{}", slot.name),
            xxh3_128(&slot.device.save()?),
        );
    }
    for block in &m.board.blocks {
        add(format!("ram:{}", block.name()), memory_hash(block));
    }
    Ok(parts)
}

fn hash_of(name: &str, part: &impl Serialize) -> Result<u128, SnapshotError> {
    let bytes = postcard::to_stdvec(part).map_err(|e| broken(name, e))?;
    Ok(xxh3_128(&bytes))
}

fn memory_hash(block: &Ram) -> u128 {
    let mut hash = Xxh3::new();
    let zeros = [0; PAGE_BYTES];
    let mut bytes = [0; PAGE_BYTES];
    for page in 0..block.pages() {
        block.read(page * PAGE_BYTES, &mut bytes);
        if bytes != zeros {
            hash.update(&(page as u64).to_le_bytes());
            hash.update(&bytes);
        }
    }
    hash.digest128()
}

pub(crate) fn state_hash(m: &Machine) -> Result<u128, SnapshotError> {
    let mut hash = Xxh3::new();
    for part in state_parts(m)? {
        hash.update(part.name.as_bytes());
        hash.update(&part.hash.to_le_bytes());
    }
    Ok(hash.digest128())
}
