//! A part of a suite, for machines that share the work.

use crate::command_line::WrongUse;
use std::fmt;

/// The index of a pod of a Kubernetes Indexed Job, from 0 (Kubernetes documentation, "Jobs", "Completion mode"). The Job's
/// number of completions is not among a pod's variables.
const KUBERNETES_INDEX: &str = "JOB_COMPLETION_INDEX";
/// So we name a variable that the manifest sets to it.
const KUBERNETES_COUNT: &str = "BOXWOOD_SHARDS";
/// SLURM's job arrays (sbatch(1), "OUTPUT ENVIRONMENT VARIABLES").
const SLURM_ID: &str = "SLURM_ARRAY_TASK_ID";
const SLURM_MIN: &str = "SLURM_ARRAY_TASK_MIN";
const SLURM_STEP: &str = "SLURM_ARRAY_TASK_STEP";
const SLURM_COUNT: &str = "SLURM_ARRAY_TASK_COUNT";

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
        let parts = text.split_once('/');
        let numbers = parts.and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match numbers {
            Some((i, n)) if (1..=n).contains(&i) => Ok(Self {
                index: i - 1,
                count: n,
            }),
            _ => Err("a part is I/N with I from 1 to N, as in 2/4".into()),
        }
    }

    /// The part counted from 0.
    pub fn index(self) -> usize {
        self.index
    }

    /// Of how many.
    pub fn count(self) -> usize {
        self.count
    }

    /// The items of this part.
    pub fn of<I: IntoIterator>(self, items: I) -> impl Iterator<Item = I::Item> {
        items.into_iter().skip(self.index).step_by(self.count)
    }

    /// The part that was asked for, or else the one that a cluster's scheduler gave to this process.
    pub fn given_or_scheduled(given: Option<Self>) -> Result<Self, WrongUse> {
        match given {
            Some(shard) => Ok(shard),
            None => Self::scheduled(|name| std::env::var(name).ok()),
        }
    }

    fn scheduled(variable: impl Fn(&str) -> Option<String>) -> Result<Self, WrongUse> {
        let number = |name: &str| -> Result<Option<usize>, WrongUse> {
            let Some(text) = variable(name) else {
                return Ok(None);
            };
            let parsed = text.trim().parse().map(Some);
            parsed.map_err(|_| WrongUse(format!("{name} is {text:?}, which is no number")))
        };
        let needs = |name: &str, other: &str| {
            let sentence = format!("{name} is set but {other} is not: give --shard I/N, or both");
            WrongUse(sentence)
        };
        let in_kubernetes = match (number(KUBERNETES_INDEX)?, number(KUBERNETES_COUNT)?) {
            (Some(index), Some(count)) => Some((KUBERNETES_INDEX, index, count)),
            (Some(_), None) => return Err(needs(KUBERNETES_INDEX, KUBERNETES_COUNT)),
            (None, Some(_)) => return Err(needs(KUBERNETES_COUNT, KUBERNETES_INDEX)),
            (None, None) => None,
        };
        let in_slurm = match number(SLURM_ID)? {
            None => None,
            Some(id) => {
                let count = number(SLURM_COUNT)?.ok_or_else(|| needs(SLURM_ID, SLURM_COUNT))?;
                let min = number(SLURM_MIN)?.ok_or_else(|| needs(SLURM_ID, SLURM_MIN))?;
                let step = number(SLURM_STEP)?.unwrap_or(1).max(1);
                let from_min = id.checked_sub(min).filter(|n| n.is_multiple_of(step));
                let index = from_min.ok_or_else(|| {
                    let from = format!("tasks from {min} in steps of {step}");
                    WrongUse(format!("{SLURM_ID} is {id}, which is none of {from}"))
                })?;
                Some((SLURM_ID, index / step, count))
            }
        };
        let (name, index, count) = match (in_kubernetes, in_slurm) {
            (None, None) => return Ok(Self::WHOLE),
            (Some(it), None) | (None, Some(it)) => it,
            (Some(_), Some(_)) => {
                let both = format!("{KUBERNETES_INDEX} and {SLURM_ID} are both set");
                return Err(WrongUse(format!("{both}: give --shard I/N")));
            }
        };
        if index >= count {
            let sentence = format!("{name} stands for part {} of only {count}", index + 1);
            return Err(WrongUse(sentence));
        }
        Ok(Self { index, count })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index + 1, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scheduled(variables: &[(&str, &str)]) -> Result<String, String> {
        let find = |name: &str| {
            let found = variables.iter().find(|(n, _)| *n == name);
            found.map(|(_, value)| value.to_string())
        };
        let shard = Shard::scheduled(find);
        shard.map(|s| s.to_string()).map_err(|e| e.0)
    }

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
        for bad in ["0/2", "3/2", "1", "a/b", "/", "1/0", "-1/2", ""] {
            assert!(Shard::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn without_a_scheduler_it_is_everything() {
        assert_eq!(scheduled(&[]), Ok("1/1".into()));
    }

    #[test]
    fn kubernetes_counts_from_0() {
        let pod = |index, count| scheduled(&[(KUBERNETES_INDEX, index), (KUBERNETES_COUNT, count)]);
        assert_eq!(pod("0", "4"), Ok("1/4".into()));
        assert_eq!(pod("3", "4"), Ok("4/4".into()));
        for (index, count) in [("4", "4"), ("x", "4"), ("0", "0"), ("0", "many"), ("", "1")] {
            assert!(pod(index, count).is_err(), "{index} of {count}");
        }
    }

    #[test]
    fn slurm_counts_from_the_first_task_in_steps() {
        let task = |id, min, step, count| {
            scheduled(&[
                (SLURM_ID, id),
                (SLURM_MIN, min),
                (SLURM_STEP, step),
                (SLURM_COUNT, count),
            ])
        };
        assert_eq!(task("1", "1", "1", "8"), Ok("1/8".into()));
        assert_eq!(task("0", "0", "1", "8"), Ok("1/8".into()));
        assert_eq!(task("10", "2", "4", "3"), Ok("3/3".into()));
        assert!(task("11", "2", "4", "3").is_err());
        assert!(task("1", "2", "1", "3").is_err());
        // A list with holes, as in --array=1,5,6: the third task is no part of three.
        assert!(task("6", "1", "1", "3").is_err());
        let without_step = [(SLURM_ID, "5"), (SLURM_MIN, "4"), (SLURM_COUNT, "2")];
        assert_eq!(scheduled(&without_step), Ok("2/2".into()));
    }

    #[test]
    fn half_of_what_a_scheduler_says_is_refused_in_one_sentence() {
        for half in [KUBERNETES_INDEX, KUBERNETES_COUNT, SLURM_ID] {
            let sentence = scheduled(&[(half, "1")]).unwrap_err();
            assert!(sentence.contains(half) && !sentence.contains('\n'));
        }
        let both = [
            (KUBERNETES_INDEX, "0"),
            (KUBERNETES_COUNT, "2"),
            (SLURM_ID, "1"),
            (SLURM_MIN, "1"),
            (SLURM_COUNT, "2"),
        ];
        assert!(scheduled(&both).unwrap_err().contains("--shard"));
    }
}
