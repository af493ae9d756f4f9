//! Drives and media: what turns under the head, and when.
//!
//! Geometries are those of the formats that DOS and Linux know by size; speeds and data rates are those of IBM's
//! diskette drive data sheets (300 turns a minute; 360 in the 1.2M drive).

use super::spec::{DATA_CRC_BYTES, ID_FIELD_BYTES, ID_TO_DATA_BYTES, Rate, TRACK_PREAMBLE_BYTES};
use emu_core::host::{BlockBackend, SECTOR_BYTES};
use emu_core::time::{Frequency, VirtTime};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Kinds of drive, as CMOS byte 10h numbers them.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum DriveType {
    /// 5.25 inches, 40 tracks, double density.
    Kb360,
    /// 5.25 inches, 80 tracks, high density, 360 turns a minute.
    Mb1_2,
    /// 3.5 inches, double density.
    Kb720,
    /// 3.5 inches, high density.
    Mb1_44,
    /// 3.5 inches, extra density.
    Mb2_88,
}

impl DriveType {
    /// The number in the nibbles of CMOS byte 10h.
    pub fn cmos(self) -> u8 {
        match self {
            Self::Kb360 => 1,
            Self::Mb1_2 => 2,
            Self::Kb720 => 3,
            Self::Mb1_44 => 4,
            Self::Mb2_88 => 5,
        }
    }

    /// The drive in which a disk of this geometry belongs.
    pub fn for_geometry(g: &Geometry) -> Self {
        match g.density {
            Density::Dd525 => Self::Kb360,
            Density::Hd525 => Self::Mb1_2,
            Density::Dd35 | Density::Hd35 => Self::Mb1_44,
            Density::Ed35 => Self::Mb2_88,
        }
    }

    /// One turn.
    pub fn turn_ns(self) -> u64 {
        match self {
            Self::Mb1_2 => 60_000_000_000 / 360,
            _ => 60_000_000_000 / 300,
        }
    }

    /// The last cylinder that the head can reach.
    pub fn last_cylinder(self) -> u8 {
        match self {
            Self::Kb360 => 41,
            _ => 83,
        }
    }

    /// At which data rate a disk of this density was recorded, as this drive turns it, and how many steps lie between
    /// its cylinders; `None`: it does not fit or its magnetic layer is too fine.
    pub fn reads(self, density: Density) -> Option<(Rate, u8)> {
        match (self, density) {
            (Self::Kb360, Density::Dd525) => Some((Rate::Kbps250, 1)),
            (Self::Mb1_2, Density::Dd525) => Some((Rate::Kbps300, 2)),
            (Self::Mb1_2, Density::Hd525) => Some((Rate::Kbps500, 1)),
            (Self::Kb720 | Self::Mb1_44 | Self::Mb2_88, Density::Dd35) => Some((Rate::Kbps250, 1)),
            (Self::Mb1_44 | Self::Mb2_88, Density::Hd35) => Some((Rate::Kbps500, 1)),
            (Self::Mb2_88, Density::Ed35) => Some((Rate::Mbps1, 1)),
            _ => None,
        }
    }
}

/// Size and magnetic layer of a disk.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Density {
    /// 5.25 inches, double.
    Dd525,
    /// 5.25 inches, high.
    Hd525,
    /// 3.5 inches, double.
    Dd35,
    /// 3.5 inches, high.
    Hd35,
    /// 3.5 inches, extra.
    Ed35,
}

/// How a disk is formatted.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Geometry {
    /// Cylinders.
    pub cylinders: u8,
    /// Sides.
    pub heads: u8,
    /// Sectors of 512 bytes on a track.
    pub sectors: u8,
    /// The disk.
    pub density: Density,
}

impl Geometry {
    /// Every geometry that is recognised by its size.
    pub const KNOWN: [Self; 16] = [
        Self::new(40, 1, 8, Density::Dd525),
        Self::new(40, 1, 9, Density::Dd525),
        Self::new(40, 2, 8, Density::Dd525),
        Self::new(40, 2, 9, Density::Dd525),
        Self::new(40, 2, 10, Density::Dd525),
        Self::new(80, 2, 8, Density::Dd35),
        Self::new(80, 2, 9, Density::Dd35),
        Self::new(80, 2, 10, Density::Dd35),
        Self::new(82, 2, 10, Density::Dd35),
        Self::new(80, 2, 15, Density::Hd525),
        Self::new(80, 2, 18, Density::Hd35),
        Self::new(80, 2, 20, Density::Hd35),
        Self::new(80, 2, 21, Density::Hd35),
        Self::new(82, 2, 21, Density::Hd35),
        Self::new(83, 2, 21, Density::Hd35),
        Self::new(80, 2, 36, Density::Ed35),
    ];

    const fn new(cylinders: u8, heads: u8, sectors: u8, density: Density) -> Self {
        Self {
            cylinders,
            heads,
            sectors,
            density,
        }
    }

    /// The geometry of an image of so many bytes.
    pub fn for_bytes(bytes: u64) -> Option<Self> {
        Self::KNOWN.into_iter().find(|g| g.bytes() == bytes)
    }

    /// Size of the image.
    pub fn bytes(&self) -> u64 {
        u64::from(self.cylinders)
            * u64::from(self.heads)
            * u64::from(self.sectors)
            * SECTOR_BYTES as u64
    }

    fn lba(&self, cylinder: u8, head: u8, sector: u8) -> u64 {
        (u64::from(cylinder) * u64::from(self.heads) + u64::from(head)) * u64::from(self.sectors)
            + u64::from(sector).saturating_sub(1)
    }
}

/// A disk in a drive.
pub struct Medium {
    /// Where its sectors are kept.
    pub backend: Box<dyn BlockBackend>,
    /// How it is formatted; `None` for an image of no known size: nothing on it can be read.
    pub geometry: Option<Geometry>,
}

impl Medium {
    /// Looks at an image.
    pub fn new(backend: Box<dyn BlockBackend>) -> Self {
        let bytes = backend.sectors().saturating_mul(SECTOR_BYTES as u64);
        Self {
            backend,
            geometry: Geometry::for_bytes(bytes),
        }
    }
}

/// An ID field.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Id {
    /// Cylinder.
    pub c: u8,
    /// Head.
    pub h: u8,
    /// Sector.
    pub r: u8,
    /// Size: 128 << n bytes.
    pub n: u8,
}

impl Id {
    /// Bytes in the data field. Only three bits of N count.
    pub fn data_bytes(self) -> usize {
        128 << (self.n & 7)
    }
}

/// A sector of a track that FORMAT TRACK made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FormattedSector {
    /// Its ID.
    pub id: Id,
    /// Its data, if the image has no place for it.
    pub data: Option<Vec<u8>>,
}

/// A track that does not look as the image's geometry says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FormattedTrack {
    /// Data rate.
    pub rate: Rate,
    /// MFM (else FM).
    pub mfm: bool,
    /// Sectors from the index on.
    pub sectors: Vec<FormattedSector>,
}

/// What changes in a drive.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct DriveState {
    /// Where the head is.
    pub cylinder: u8,
    /// Since when the motor runs.
    pub motor_since: Option<VirtTime>,
    /// The disk change latch: set while no disk is in and by a change, cleared by a step with a disk in.
    pub disk_change: bool,
    /// Sectors of the image whose data mark is the deleted one.
    pub deleted: BTreeSet<u64>,
    /// Tracks (cylinder, head) that FORMAT TRACK changed.
    pub formatted: BTreeMap<(u8, u8), FormattedTrack>,
}

/// The time that a motor needs to reach its speed: ours, the drives' data sheets allow up to 500 ms.
pub const SPIN_UP_NS: u64 = 200_000_000;
/// Length of the index pulse: ours, data sheets say 1 to 5 ms.
const INDEX_PULSE_NS: u64 = 2_000_000;

/// A sector as the head meets it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passing {
    /// Its ID field.
    pub id: Id,
    /// Its place on the track.
    pub index: usize,
    /// When its ID field begins to pass.
    pub at: VirtTime,
    /// Where the image keeps it.
    pub lba: Option<u64>,
}

/// What the head sees on the present track.
pub enum Track {
    /// Nothing turns: there are not even index pulses.
    Still,
    /// No address marks at this data rate.
    Unreadable,
    /// Sectors.
    Sectors(Vec<(Id, Option<u64>)>),
}

/// A drive, its disk and its state, for the length of one look.
pub struct Look<'a> {
    /// Kind of drive.
    pub kind: DriveType,
    /// The disk, if one is in.
    pub medium: Option<&'a mut Medium>,
    /// Its state.
    pub state: &'a mut DriveState,
}

impl Look<'_> {
    /// The first moment, from `now` on, at which the disk turns at its speed.
    pub fn turning_from(&self, now: VirtTime) -> Option<VirtTime> {
        self.medium.as_ref()?;
        Some(now.max(self.state.motor_since?.plus_ns(SPIN_UP_NS)))
    }

    /// The moment of the index pulse before or at `t`, which must be no earlier than [`Self::turning_from`].
    fn index_before(&self, t: VirtTime) -> VirtTime {
        let Some(since) = self.state.motor_since else {
            return t;
        };
        let turn = self.kind.turn_ns();
        let phase = t.since(since.plus_ns(SPIN_UP_NS)) % turn;
        VirtTime::from_ns(t.as_ns().saturating_sub(phase))
    }

    /// The next index pulse after `t`, and then `turns` more.
    pub fn index_after(&self, t: VirtTime, turns: u64) -> VirtTime {
        self.index_before(t)
            .plus_ns(self.kind.turn_ns().saturating_mul(turns + 1))
    }

    /// Whether the index hole is at the sensor.
    pub fn index_pulse(&self, now: VirtTime) -> bool {
        match self.turning_from(now) {
            Some(t) if t == now => now.since(self.index_before(now)) < INDEX_PULSE_NS,
            _ => false,
        }
    }

    /// The cylinder of the disk that lies under the head; `None` between two.
    fn disk_cylinder(&self) -> Option<(Geometry, Rate, u8)> {
        let g = self.medium.as_ref()?.geometry?;
        let (rate, steps) = self.kind.reads(g.density)?;
        self.state
            .cylinder
            .is_multiple_of(steps)
            .then_some((g, rate, self.state.cylinder / steps))
    }

    /// The sectors that pass under `head` at this data rate and recording.
    pub fn track(&self, head: u8, rate: Rate, mfm: bool) -> Track {
        if self.medium.is_none() || self.state.motor_since.is_none() {
            return Track::Still;
        }
        let standard = self.disk_cylinder();
        if let Some(t) = self.state.formatted.get(&(self.state.cylinder, head)) {
            if t.rate != rate || t.mfm != mfm || t.sectors.is_empty() {
                return Track::Unreadable;
            }
            let lba = |s: &FormattedSector| match (s.data.is_none() && s.id.n == 2, standard) {
                (true, Some((g, _, c))) => Some(g.lba(c, head, s.id.r)),
                _ => None,
            };
            return Track::Sectors(t.sectors.iter().map(|s| (s.id, lba(s))).collect());
        }
        match standard {
            Some((g, recorded, c))
                if recorded == rate && mfm && head < g.heads && c < g.cylinders =>
            {
                let id = |r| Id {
                    c,
                    h: head,
                    r,
                    n: 2,
                };
                Track::Sectors(
                    (1..=g.sectors)
                        .map(|r| (id(r), Some(g.lba(c, head, r))))
                        .collect(),
                )
            }
            _ => Track::Unreadable,
        }
    }

    /// Where on the track sector `index` of `sectors` begins, from the index pulse on.
    pub fn sector_offset_ns(&self, index: usize, sectors: &[(Id, Option<u64>)], rate: Rate) -> u64 {
        let turn = self.kind.turn_ns();
        let preamble = byte_clock(rate).ns_of(TRACK_PREAMBLE_BYTES).min(turn / 8);
        // Sectors share what is left of the track in proportion to their size.
        let weight = |s: &(Id, Option<u64>)| s.0.data_bytes() as u64 + 128;
        let total: u64 = sectors.iter().map(weight).sum::<u64>().max(1);
        let before: u64 = sectors.iter().take(index).map(weight).sum();
        preamble + (turn - preamble) * before / total
    }

    /// All sectors in the order in which they pass from `now` on, for one turn.
    pub fn passing(
        &self,
        sectors: &[(Id, Option<u64>)],
        rate: Rate,
        now: VirtTime,
    ) -> Vec<Passing> {
        let index_at = self.index_before(now);
        let turn = self.kind.turn_ns();
        let mut all: Vec<Passing> = sectors
            .iter()
            .enumerate()
            .map(|(index, &(id, lba))| {
                let at = index_at.plus_ns(self.sector_offset_ns(index, sectors, rate));
                let at = if at < now { at.plus_ns(turn) } else { at };
                Passing { id, index, at, lba }
            })
            .collect();
        all.sort_by_key(|p| p.at);
        all
    }

    /// What FORMAT TRACK leaves: `ids` at this data rate, filled with `fill`. What the image can hold goes there.
    /// Sectors that do not fit into one turn are lost.
    pub fn format(
        &mut self,
        head: u8,
        rate: Rate,
        mfm: bool,
        ids: &[Id],
        fill: u8,
    ) -> Result<(), emu_core::host::BlockError> {
        let capacity = byte_clock(rate).ticks_in(self.kind.turn_ns());
        let standard = self.disk_cylinder();
        let mut used = 0;
        let mut track = FormattedTrack {
            rate,
            mfm,
            sectors: Vec::new(),
        };
        let mut homes = BTreeSet::new();
        let mut all_standard = mfm;
        for id in ids {
            used += ID_FIELD_BYTES + ID_TO_DATA_BYTES + id.data_bytes() as u64 + DATA_CRC_BYTES;
            if used > capacity {
                break;
            }
            let home = standard.filter(|&(g, _, c)| {
                (id.c, id.h, id.n) == (c, head, 2)
                    && c < g.cylinders
                    && head < g.heads
                    && (1..=g.sectors).contains(&id.r)
                    && !homes.contains(&id.r)
            });
            if home.is_some() {
                homes.insert(id.r);
            } else {
                all_standard = false;
            }
            let data = home.is_none().then(|| vec![fill; id.data_bytes()]);
            track.sectors.push(FormattedSector { id: *id, data });
        }
        if let (Some((g, recorded, c)), Some(medium)) = (standard, self.medium.as_mut()) {
            for r in &homes {
                let lba = g.lba(c, head, *r);
                medium.backend.write(lba, &[fill; SECTOR_BYTES])?;
                self.state.deleted.remove(&lba);
            }
            all_standard &= recorded == rate && homes.len() == usize::from(g.sectors);
        }
        let in_order = track.sectors.is_sorted_by_key(|s| s.id.r);
        let key = (self.state.cylinder, head);
        if all_standard && in_order && standard.is_some() {
            self.state.formatted.remove(&key);
        } else {
            self.state.formatted.insert(key, track);
        }
        Ok(())
    }

    /// Reads the data field of a sector: its bytes, and whether its mark is the deleted one.
    pub fn read_sector(&mut self, head: u8, p: &Passing) -> Option<(Vec<u8>, bool)> {
        match p.lba {
            Some(lba) => {
                let mut data = vec![0; SECTOR_BYTES];
                self.medium.as_mut()?.backend.read(lba, &mut data).ok()?;
                Some((data, self.state.deleted.contains(&lba)))
            }
            None => {
                let key = (self.state.cylinder, head);
                let t = self.state.formatted.get(&key)?;
                let mut data = t.sectors.get(p.index)?.data.clone()?;
                data.resize(p.id.data_bytes(), 0);
                Some((data, self.state.deleted.contains(&own_key(key, p.index))))
            }
        }
    }

    /// Writes the data field of a sector.
    pub fn write_sector(
        &mut self,
        head: u8,
        p: &Passing,
        data: &[u8],
        deleted: bool,
    ) -> Result<(), emu_core::host::BlockError> {
        let key = (self.state.cylinder, head);
        let mark = match p.lba {
            Some(lba) => {
                if let Some(medium) = self.medium.as_mut() {
                    medium.backend.write(lba, data)?;
                }
                lba
            }
            None => {
                if let Some(t) = self.state.formatted.get_mut(&key)
                    && let Some(s) = t.sectors.get_mut(p.index)
                {
                    s.data = Some(data.to_vec());
                }
                own_key(key, p.index)
            }
        };
        if deleted {
            self.state.deleted.insert(mark);
        } else {
            self.state.deleted.remove(&mark);
        }
        Ok(())
    }
}

/// Names a sector that the image does not hold, in the set of deleted marks.
fn own_key((cylinder, head): (u8, u8), index: usize) -> u64 {
    (1 << 40) | (u64::from(cylinder) << 32) | (u64::from(head) << 24) | (index as u64 & 0xFF_FFFF)
}

/// The clock of bytes at a data rate (MFM).
pub fn byte_clock(rate: Rate) -> Frequency {
    Frequency::ratio(rate.bits_per_second(), 8)
}
