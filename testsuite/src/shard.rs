//! A part of a suite, for machines that share the work.

/// Part `index` of `count`: every `count`-th item.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Shard {
    index: usize,
    count: usize,
}

impl Shard {
    /// Everything.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// Parses `I/N`, counted from 1.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (i, n) = text
            .split_once('/')
            .ok_or("expected I/N, for example 1/4")?;
        let number = |s: &str| s.parse::<usize>().map_err(|e| format!("{s}: {e}"));
        let (i, n) = (number(i)?, number(n)?);
        if i == 0 || i > n {
            return Err("I counts from 1 to N".into());
        }
        Ok(Self {
            index: i - 1,
            count: n,
        })
    }

    /// The items of this part.
    pub fn of<I: IntoIterator>(self, items: I) -> impl Iterator<Item = I::Item> {
        items.into_iter().skip(self.index).step_by(self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_together_are_the_whole() {
        let mut all: Vec<u32> = Vec::new();
        for part in ["1/3", "2/3", "3/3"] {
            all.extend(Shard::parse(part).unwrap().of(0..10));
        }
        all.sort_unstable();
        assert_eq!(all, Vec::from_iter(0..10));
    }

    #[test]
    fn a_part_that_is_none_of_the_whole_is_refused() {
        for bad in ["0/2", "3/2", "1", "a/b", "/"] {
            assert!(Shard::parse(bad).is_err(), "{bad}");
        }
    }
}
