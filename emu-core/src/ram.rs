//! Blocks of guest memory: system RAM, video RAM, ROMs, flash. All are mapped, dirty-tracked, code-tracked
//! and snapshotted alike; a device holds a handle.
//!
//! # The invariant behind the `unsafe` in this file
//! A block's bytes are allocated once, never move and live as long as any handle. No Rust reference or slice
//! into them is ever made: all access is by raw, unaligned copies inside the bounds of the block, so the guest,
//! DMA and a KVM virtual CPU may write at any moment, as on real hardware. Offsets are checked here; a
//! CPU's fast path that keeps [`Ram::host_ptr`] checks them when it fills its TLB.
#![expect(
    unsafe_code,
    reason = "guest memory is raw memory; see the invariant above"
)]

use memmap2::{MmapOptions, MmapRaw};
use std::alloc::Layout;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Bytes in a page, the unit of mapping and of dirty tracking.
pub const PAGE_BYTES: usize = 4096;
/// Bytes in a granule, the unit of code tracking: 64 to a page, one bit each.
pub const CODE_GRANULE_BYTES: usize = 64;

/// Who follows the writes to a block: one bit of each page's dirty mark.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum DirtyClient {
    /// The display: which lines must be drawn again.
    Display = 1,
    /// Incremental snapshots.
    Snapshot = 2,
}

struct Block {
    name: String,
    bytes: NonNull<u8>,
    len: usize,
    /// Holds the bytes.
    _backing: Backing,
    dirty: Box<[AtomicU8]>,
    code: Box<[AtomicU64]>,
    code_written: AtomicBool,
    /// What stands for several blocks: raised with `code_written`.
    any_code_written: OnceLock<Arc<AtomicBool>>,
    code_log: Mutex<Vec<(u32, u64)>>,
}

// SAFETY: the block owns its allocation, and all shared access to the bytes is by raw copies (see the header);
// the marks are atomics.
unsafe impl Send for Block {}
// SAFETY: as above.
unsafe impl Sync for Block {}

/// Where the bytes of a block come from: zeroed, at the start of a page, and fixed in place.
enum Backing {
    Heap {
        allocation: NonNull<u8>,
        layout: Layout,
    },
    Map {
        _map: MmapRaw,
    },
}

/// Blocks from this size on lie in a mapping of their own, in large pages if the host has such: a CPU that touches
/// all of a large memory in no order waits for the host's translations more than for the guest's.
const MAPPED_FROM_BYTES: usize = 1 << 24;
/// Bytes of a large page.
const LARGE_PAGE_BYTES: usize = 1 << 21;

impl Backing {
    /// So many bytes, a multiple of [`PAGE_BYTES`], and where they start.
    fn new(len: usize) -> Option<(Self, NonNull<u8>)> {
        if len >= MAPPED_FROM_BYTES {
            Self::map(len)
        } else {
            Self::allocate(len)
        }
    }

    fn map(len: usize) -> Option<(Self, NonNull<u8>)> {
        let mapped = len.checked_add(LARGE_PAGE_BYTES)?;
        let map = MmapOptions::new().len(mapped).map_anon().ok()?;
        let map = MmapRaw::from(map);
        // Without large pages it works as well.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage);
        let start = map.as_mut_ptr();
        let skip = start.align_offset(LARGE_PAGE_BYTES);
        // SAFETY: `skip` is below LARGE_PAGE_BYTES, by which the mapping is longer than `len`.
        let bytes = NonNull::new(unsafe { start.add(skip) })?;
        Some((Self::Map { _map: map }, bytes))
    }

    fn allocate(len: usize) -> Option<(Self, NonNull<u8>)> {
        // A larger alignment than malloc's would make the allocator touch each page to zero it, so one page more
        // is asked for and the start is rounded up here.
        let layout = Layout::from_size_align(len.checked_add(PAGE_BYTES)?, 16).ok()?;
        // SAFETY: the layout's size is not zero.
        let allocation = NonNull::new(unsafe { std::alloc::alloc_zeroed(layout) })?;
        let skip = allocation.as_ptr().align_offset(PAGE_BYTES);
        // SAFETY: `skip` is below PAGE_BYTES, by which the allocation is longer than `len`.
        let bytes = unsafe { allocation.add(skip) };
        Some((Self::Heap { allocation, layout }, bytes))
    }
}

impl Drop for Backing {
    fn drop(&mut self) {
        match self {
            // SAFETY: `allocation` came from `alloc_zeroed` with this layout and is freed only here.
            Self::Heap { allocation, layout } => unsafe {
                std::alloc::dealloc(allocation.as_ptr(), *layout);
            },
            // Unmaps itself.
            Self::Map { .. } => {}
        }
    }
}

/// A handle to a block of guest memory. Clones name the same bytes.
#[derive(Clone)]
pub struct Ram(Arc<Block>);

impl std::fmt::Debug for Ram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ram({}, {} bytes)", self.0.name, self.0.len)
    }
}

impl PartialEq for Ram {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Why a block could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot allocate {bytes} bytes of guest memory for {name}")]
pub struct OutOfMemory {
    /// The block's name.
    pub name: String,
    /// The size asked for.
    pub bytes: usize,
}

impl Ram {
    /// A zeroed block of `len` bytes, rounded up to whole pages. The host commits memory as pages are touched.
    pub fn new(name: impl Into<String>, len: usize) -> Result<Self, OutOfMemory> {
        let name = name.into();
        let fail = |bytes| OutOfMemory {
            name: name.clone(),
            bytes,
        };
        let len = len
            .max(1)
            .checked_next_multiple_of(PAGE_BYTES)
            .ok_or_else(|| fail(len))?;
        let (backing, bytes) = Backing::new(len).ok_or_else(|| fail(len))?;
        let pages = len / PAGE_BYTES;
        Ok(Self(Arc::new(Block {
            name,
            bytes,
            len,
            _backing: backing,
            dirty: (0..pages).map(|_| AtomicU8::new(0)).collect(),
            code: (0..pages).map(|_| AtomicU64::new(0)).collect(),
            code_written: AtomicBool::new(false),
            any_code_written: OnceLock::new(),
            code_log: Mutex::new(Vec::new()),
        })))
    }

    /// A block that holds `contents`, padded with zeros to whole pages: a ROM.
    pub fn with_contents(name: impl Into<String>, contents: &[u8]) -> Result<Self, OutOfMemory> {
        let ram = Self::new(name, contents.len())?;
        ram.write(0, contents);
        Ok(ram)
    }

    /// The block's name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The block's size in bytes, a multiple of [`PAGE_BYTES`].
    pub fn len_bytes(&self) -> usize {
        self.0.len
    }

    /// The number of pages.
    pub fn pages(&self) -> usize {
        self.0.len / PAGE_BYTES
    }

    /// Where byte `offset` lies in the host's memory, for a TLB entry or a KVM memory slot; `None` past the end.
    pub fn host_ptr(&self, offset: usize) -> Option<NonNull<u8>> {
        // SAFETY: the offset is inside the allocation.
        (offset < self.0.len).then(|| unsafe { self.0.bytes.add(offset) })
    }

    #[inline]
    fn in_bounds(&self, offset: usize, len: usize) -> bool {
        offset.checked_add(len).is_some_and(|end| end <= self.0.len)
    }

    /// Copies bytes out. Bytes past the end read as FFh, as an open bus does.
    #[inline]
    pub fn read(&self, offset: usize, buffer: &mut [u8]) {
        let n = buffer.len().min(self.0.len.saturating_sub(offset));
        let (inside, outside) = buffer.split_at_mut(n);
        if n > 0 {
            // SAFETY: `offset + n` is inside the block, and `inside` is not guest memory.
            unsafe {
                self.0
                    .bytes
                    .add(offset)
                    .copy_to_nonoverlapping(NonNull::from(&mut inside[0]), n);
            }
        }
        outside.fill(0xFF);
    }

    /// Copies bytes in, marking pages dirty and reporting code that was overwritten. Bytes past the end are dropped.
    #[inline]
    pub fn write(&self, offset: usize, data: &[u8]) {
        let n = data.len().min(self.0.len.saturating_sub(offset));
        if n == 0 {
            return;
        }
        // SAFETY: `offset + n` is inside the block, and `data` is not guest memory.
        unsafe {
            self.0
                .bytes
                .add(offset)
                .copy_from_nonoverlapping(NonNull::from(&data[0]), n);
        }
        self.written(offset, n);
    }

    /// Sets `len` bytes to `value`, as [`Self::write`] does.
    pub fn fill(&self, offset: usize, len: usize, value: u8) {
        let n = len.min(self.0.len.saturating_sub(offset));
        if n == 0 {
            return;
        }
        // SAFETY: `offset + n` is inside the block.
        unsafe { self.0.bytes.add(offset).write_bytes(value, n) };
        self.written(offset, n);
    }

    /// One byte; FFh past the end.
    #[inline]
    pub fn read_u8(&self, offset: usize) -> u8 {
        u8::from_le_bytes(self.array(offset))
    }

    /// A little-endian word at any alignment.
    #[inline]
    pub fn read_u16(&self, offset: usize) -> u16 {
        u16::from_le_bytes(self.array(offset))
    }

    /// A little-endian doubleword at any alignment.
    #[inline]
    pub fn read_u32(&self, offset: usize) -> u32 {
        u32::from_le_bytes(self.array(offset))
    }

    /// A little-endian quadword at any alignment.
    #[inline]
    pub fn read_u64(&self, offset: usize) -> u64 {
        u64::from_le_bytes(self.array(offset))
    }

    /// Writes one byte.
    #[inline]
    pub fn write_u8(&self, offset: usize, value: u8) {
        self.set_array(offset, [value]);
    }

    /// Writes a little-endian word at any alignment.
    #[inline]
    pub fn write_u16(&self, offset: usize, value: u16) {
        self.set_array(offset, value.to_le_bytes());
    }

    /// Writes a little-endian doubleword at any alignment.
    #[inline]
    pub fn write_u32(&self, offset: usize, value: u32) {
        self.set_array(offset, value.to_le_bytes());
    }

    /// Writes a little-endian quadword at any alignment.
    #[inline]
    pub fn write_u64(&self, offset: usize, value: u64) {
        self.set_array(offset, value.to_le_bytes());
    }

    #[inline]
    fn array<const N: usize>(&self, offset: usize) -> [u8; N] {
        if self.in_bounds(offset, N) {
            // SAFETY: `N` bytes at `offset` are inside the block, and an array of bytes has no alignment.
            return unsafe { self.0.bytes.add(offset).cast::<[u8; N]>().read() };
        }
        let mut b = [0; N];
        self.read(offset, &mut b);
        b
    }

    #[inline]
    fn set_array<const N: usize>(&self, offset: usize, value: [u8; N]) {
        if self.in_bounds(offset, N) {
            // SAFETY: as above.
            unsafe { self.0.bytes.add(offset).cast::<[u8; N]>().write(value) };
            self.written(offset, N);
        } else {
            self.write(offset, &value);
        }
    }

    /// Marks what a write of `len` bytes at `offset` touched: pages dirty, code overwritten.
    #[inline]
    fn written(&self, offset: usize, len: usize) {
        let page = offset / PAGE_BYTES;
        let alone = offset % PAGE_BYTES + len <= PAGE_BYTES;
        if alone && self.0.code.get(page).is_some_and(|c| c.load(Relaxed) == 0) {
            self.mark_dirty(page);
        } else {
            self.written_somewhere(offset, len);
        }
    }

    fn written_somewhere(&self, offset: usize, len: usize) {
        if !self.in_bounds(offset, len) || len == 0 {
            return;
        }
        let (first, last) = (offset / PAGE_BYTES, (offset + len - 1) / PAGE_BYTES);
        for page in first..=last {
            self.mark_dirty(page);
            let code = self.0.code[page].load(Relaxed);
            if code != 0 {
                let from = offset.max(page * PAGE_BYTES) - page * PAGE_BYTES;
                let to = (offset + len).min((page + 1) * PAGE_BYTES) - page * PAGE_BYTES;
                let hit = code & granule_mask(from, to);
                if hit != 0 {
                    let mut log = self
                        .0
                        .code_log
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner);
                    match log.last_mut() {
                        Some((p, mask)) if *p == page as u32 => *mask |= hit,
                        _ => log.push((page as u32, hit)),
                    }
                    self.0.code_written.store(true, Relaxed);
                    if let Some(any) = self.0.any_code_written.get() {
                        any.store(true, Relaxed);
                    }
                }
            }
        }
    }

    /// Marks a page as written for every dirty client. A CPU that keeps a host pointer for stores calls this when
    /// it makes its TLB entry.
    #[inline]
    pub fn mark_dirty(&self, page: usize) {
        if let Some(d) = self.0.dirty.get(page) {
            d.store(u8::MAX, Relaxed);
        }
    }

    /// Whether a page was written since the client last asked; clears the client's mark. CPUs must drop their
    /// writable TLB entries after a round of this (`Invalidate::WriteTracking`).
    pub fn take_dirty(&self, page: usize, client: DirtyClient) -> bool {
        let bit = client as u8;
        self.0.dirty.get(page).is_some_and(|d| {
            let old = d.load(Relaxed);
            d.store(old & !bit, Relaxed);
            old & bit != 0
        })
    }

    /// The granules of a page that hold decoded code (bit n: bytes 64n to 64n+63).
    #[inline]
    pub fn code_in(&self, page: usize) -> u64 {
        self.0.code.get(page).map_or(0, |c| c.load(Relaxed))
    }

    /// Marks granules of a page as holding decoded code.
    pub fn mark_code(&self, page: usize, granules: u64) {
        if let Some(c) = self.0.code.get(page) {
            c.store(c.load(Relaxed) | granules, Relaxed);
        }
    }

    /// Sets which granules of a page hold decoded code, after blocks were dropped.
    pub fn set_code(&self, page: usize, granules: u64) {
        if let Some(c) = self.0.code.get(page) {
            c.store(granules, Relaxed);
        }
    }

    /// Whether somebody other than the CPU that decoded it has written over code since the last
    /// [`Self::take_code_writes`].
    #[inline]
    pub fn code_was_written(&self) -> bool {
        self.0.code_written.load(Relaxed)
    }

    /// Raises `any` from now on whenever [`Self::code_was_written`] comes true. A block reports to one for its lifetime.
    pub fn report_code_writes_to(&self, any: &Arc<AtomicBool>) {
        let _ = self.0.any_code_written.set(Arc::clone(any));
        if self.code_was_written() {
            any.store(true, Relaxed);
        }
    }

    /// The pages whose code was overwritten by a device or a debugger, and which granules of them.
    pub fn take_code_writes(&self) -> Vec<(u32, u64)> {
        self.0.code_written.store(false, Relaxed);
        std::mem::take(
            &mut *self
                .0
                .code_log
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

/// The code-granule bits that the bytes `from..to` of a page touch.
#[inline]
pub const fn granule_mask(from: usize, to: usize) -> u64 {
    if to <= from {
        return 0;
    }
    let (first, last) = (from / CODE_GRANULE_BYTES, (to - 1) / CODE_GRANULE_BYTES);
    let width = last - first + 1;
    let ones = if width >= 64 {
        u64::MAX
    } else {
        (1 << width) - 1
    };
    ones << first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_past_the_end_read_as_open_bus_and_are_not_written() {
        let ram = Ram::new("t", 4096).unwrap();
        ram.write_u32(4094, 0x1122_3344);
        assert_eq!(ram.read_u16(4094), 0x3344);
        assert_eq!(ram.read_u32(4094), 0xFFFF_3344);
        assert_eq!(ram.read_u8(usize::MAX), 0xFF);
        ram.write_u8(usize::MAX, 1);
        ram.fill(4000, usize::MAX, 7);
        assert_eq!(ram.read_u8(4095), 7);
    }

    #[test]
    fn a_write_over_code_is_reported_once_with_the_granules_it_hit() {
        let ram = Ram::new("t", 3 * 4096).unwrap();
        ram.mark_code(1, 0b110);
        ram.write_u8(4096 + 63, 0);
        assert!(!ram.code_was_written());
        ram.write_u16(4096 + 63, 0);
        assert!(ram.code_was_written());
        assert_eq!(ram.take_code_writes(), [(1, 0b10)]);
        assert!(!ram.code_was_written());
        ram.fill(0, 3 * 4096, 0);
        assert_eq!(ram.take_code_writes(), [(1, 0b110)]);
    }

    #[test]
    fn granule_masks_cover_whole_pages_and_single_bytes() {
        assert_eq!(granule_mask(0, 4096), u64::MAX);
        assert_eq!(granule_mask(4095, 4096), 1 << 63);
        assert_eq!(granule_mask(64, 129), 0b110);
        assert_eq!(granule_mask(5, 5), 0);
    }

    #[test]
    fn dirty_marks_are_kept_for_each_client() {
        let ram = Ram::new("t", 4096).unwrap();
        ram.write_u8(1, 1);
        assert!(ram.take_dirty(0, DirtyClient::Display));
        assert!(!ram.take_dirty(0, DirtyClient::Display));
        assert!(ram.take_dirty(0, DirtyClient::Snapshot));
    }
}
