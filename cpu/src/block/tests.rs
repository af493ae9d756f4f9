use super::page::bytes_of_granule;
use super::*;
use crate::decode::BLOCK_BYTES_MAX;

const PAGES: [u64; 2] = [0x10_0000, 0x10_1000];

fn insert(cache: &mut BlockCache, host: u64, mode: u32, len: u32, second_page: Option<u64>) {
    cache.insert(&NewBlock {
        host,
        mode,
        len,
        second_page,
        slots: &[Slot::head()],
        links: [0; 2],
        pins: [0; 2],
        starts: &[Start::default(); 2],
    });
}

/// The bytes of a page that a block covers, one by one.
fn bytes_in(b: &Block, page: u64) -> Vec<usize> {
    let byte = |i| match b.second_page {
        Some(second) if (b.host & 0xFFF) + i >= 0x1000 => second + (b.host + i) % 0x1000,
        _ => b.host + i,
    };
    let all = (0..u64::from(b.len)).map(byte);
    all.filter(|at| at & !0xFFF == page)
        .map(|at| (at & 0xFFF) as usize)
        .collect()
}

fn next(seed: &mut u64, below: u64) -> u64 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) % below
}

fn assert_is_as_counted(cache: &BlockCache, page: u64) {
    let mut bytes = [0; 64];
    let blocks = || cache.blocks.iter().flatten();
    for at in blocks().flat_map(|b| bytes_in(b, page)) {
        bytes[at / 64] |= 1 << (at % 64);
    }
    let known = cache.by_page.get(&page);
    assert_eq!(known.map_or([0; 64], |p| p.bytes), bytes);
    let granules = (0..64).filter(|&n| bytes[n] != 0);
    assert_eq!(
        cache.granules_of(page),
        granules.fold(0, |all, n| all | 1 << n)
    );
    let covered = known.map_or(&[][..], |p| &p.covered);
    assert!(covered.is_sorted_by_key(|c| c.start));
    let parts = |b: &Block| {
        let first = usize::from(b.host & !0xFFF == page);
        first + usize::from(b.second_page == Some(page))
    };
    assert_eq!(covered.len(), blocks().map(|b| parts(b)).sum::<usize>());
}

/// Blocks of ever other lengths come and go: what was freed of one length does for no other, and yet there is a bound.
#[test]
fn the_memory_of_blocks_is_bounded() {
    let mut cache = BlockCache::default();
    let mut seed = 1;
    for round in 0..4u64 {
        for n in 0..20_000u64 {
            cache.bury();
            let slots = vec![Slot::head(); (1 + round * 40 + next(&mut seed, 40)) as usize];
            cache.insert(&NewBlock {
                host: PAGES[0] + n * 8,
                mode: 0,
                len: 8,
                second_page: None,
                slots: &slots,
                links: [0; 2],
                pins: [0; 2],
                starts: &[Start::default(); 2],
            });
            assert!(cache.arena.bytes() <= 24 << 20);
        }
    }
    assert!(cache.freed > 0);
}

/// What is known of linear addresses outlives translations only where the pages are global, or where the translation
/// is made again and leads to the same bytes, and never the block.
#[test]
fn blocks_are_found_again_as_far_as_translations_hold() {
    let mut cache = BlockCache::default();
    let local = (0x40_1000, PAGES[0]);
    let global = (0xC010_2010, PAGES[1] + 0x10);
    for ((linear, host), is_global) in [(local, false), (global, true)] {
        insert(&mut cache, host, 0, 8, None);
        let head = cache.find(host, 0).and_then(|n| cache.block(n));
        let head = head.map_or(HeadRef::NONE, |b| b.slots.head());
        cache.remember(linear, 0, head, is_global);
    }
    let known =
        |cache: &BlockCache| [local, global].map(|(linear, _)| cache.recent(linear, 0).is_some());
    assert_eq!(known(&cache), [true, true]);
    cache.forget_translations(true);
    assert_eq!(known(&cache), [false, true]);
    // Another mode, another place.
    assert!(cache.revive(local.0, 1, local.1, false).is_none());
    assert!(cache.revive(local.0, 0, local.1 + 0x1000, false).is_none());
    assert_eq!(known(&cache), [false, true]);
    assert!(cache.revive(local.0, 0, local.1, false).is_some());
    assert_eq!(known(&cache), [true, true]);
    cache.forget_translations(false);
    assert_eq!(known(&cache), [false, false]);
    // It was overwritten.
    assert!(cache.overwrite(PAGES[0], 4..5, HeadRef::NONE));
    assert!(cache.revive(local.0, 0, local.1, false).is_none());
    // Blocks were freed: what an entry points to may be another one by now.
    for n in 0..=BURIED_MAX as u64 {
        insert(&mut cache, PAGES[0] + 0x800, n as u32, 1, None);
        cache.overwrite(PAGES[0], 0x800..0x801, HeadRef::NONE);
    }
    cache.overwrite(PAGES[0], 0x800..0x801, HeadRef::NONE);
    assert!(cache.bury());
    assert!(cache.revive(global.0, 0, global.1, true).is_none());
}

/// Blocks come, are replaced and are overwritten, over the end of a page and round it where both of its mappings are
/// neighbours: what is known of the pages is what the blocks cover, and a store drops what it hits and no more.
#[test]
fn pages_know_what_their_blocks_cover() {
    let mut cache = BlockCache::default();
    let mut seed = 1;
    for _ in 0..5000 {
        let page = PAGES[next(&mut seed, 2) as usize];
        match next(&mut seed, 8) {
            0 => {
                let host = page + 0xFF1 + next(&mut seed, 15);
                let len = 0x1000 - (host & 0xFFF) + 1 + next(&mut seed, 14);
                let second = PAGES[next(&mut seed, 2) as usize];
                insert(&mut cache, host, 0, len as u32, Some(second));
            }
            1..5 => {
                let start = next(&mut seed, 0x1000);
                let most = BLOCK_BYTES_MAX.min(0x1000 - start);
                let len = 1 + next(&mut seed, most);
                let mode = next(&mut seed, 3) as u32;
                insert(&mut cache, page + start, mode, len as u32, None);
            }
            5 => {
                let granules = next(&mut seed, 1 << 31) & next(&mut seed, 1 << 31);
                cache.overwrite_granules(page, granules << next(&mut seed, 33));
            }
            _ => {
                let start = next(&mut seed, 0x1000) as usize;
                let end = (start + 1 + next(&mut seed, 8) as usize).min(0x1000);
                let is_hit = |b: &Block| {
                    let bytes = bytes_in(b, page);
                    bytes.iter().any(|at| (start..end).contains(at))
                };
                let is_open = |b: &Block| !b.slots.head().is_dead();
                let keys = |cache: &BlockCache, which: &dyn Fn(&Block) -> bool| {
                    let blocks = cache.blocks.iter().flatten();
                    let mut keys: Vec<_> = blocks
                        .filter(|b| which(b))
                        .map(|b| (b.host, b.mode))
                        .collect();
                    keys.sort_unstable();
                    keys
                };
                let hit = keys(&cache, &is_hit);
                let missed = keys(&cache, &|b| is_open(b) && !is_hit(b));
                // What is overwritten for the first time keeps its place, closed.
                let closed = keys(&cache, &|b| is_open(b) && is_hit(b));
                let dropped = cache.overwrite(page, start..end, HeadRef::NONE);
                assert_eq!(dropped, !hit.is_empty());
                assert_eq!(keys(&cache, &is_open), missed);
                assert_eq!(keys(&cache, &is_hit), closed);
                for (host, mode) in hit {
                    assert_eq!(cache.find(host, mode), None);
                }
            }
        }
        for page in PAGES {
            assert_is_as_counted(&cache, page);
        }
        cache.bury();
    }
}

#[test]
fn bytes_of_granules_are_those_of_the_range() {
    let all = |range| {
        let granules = (0..64).map(|n| bytes_of_granule(n, &range));
        granules.collect::<Vec<_>>()
    };
    assert_eq!(all(0..4096), [u64::MAX; 64]);
    assert_eq!(all(63..129)[..4], [1 << 63, u64::MAX, 1, 0]);
    assert_eq!(all(70..72)[..3], [0, 3 << 6, 0]);
    assert_eq!(all(5..5), [0; 64]);
}
