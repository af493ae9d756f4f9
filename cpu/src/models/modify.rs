//! Models by the words of the command line: NAME, and features taken off and added: NAME,+avx2,-sse4_1.

use super::CpuModel;
use super::flags::{FLAGS, Flag};
use iced_x86::CpuidFeature as F;

/// Why there is no such model. Each is one sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ModelError {
    /// No model has that name.
    Unknown(String),
    /// No feature has that name.
    UnknownFeature(String),
    /// A processor that was sold has it, but it is not executed.
    NotExecuted(&'static str),
    /// Neither `+` nor `-`.
    NoSign(String),
    /// Given and taken at once.
    Twice(&'static str),
    /// The model says nothing of its features.
    NoCpuid {
        /// The model.
        model: &'static str,
    },
    /// It cannot be separated from another feature.
    PartOf {
        /// The feature.
        feature: &'static str,
        /// What it comes with.
        whole: &'static str,
    },
    /// A feature without another one.
    Needs {
        /// The feature.
        feature: &'static str,
        /// What it needs.
        needed: &'static str,
        /// The model as it was asked for.
        model: String,
    },
}

impl std::fmt::Display for ModelError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown(name) => {
                let known: Vec<_> = CpuModel::ALL.iter().map(|m| m.name).collect();
                let known = known.join(", ");
                write!(f, "the CPU model {name:?} is not known: there are {known}")
            }
            Self::UnknownFeature(name) => {
                write!(f, "the CPU feature {name:?} is not known")?;
                match nearest(name, FLAGS.iter().map(|f| f.name)) {
                    Some(known) => write!(f, "; is it {known}?"),
                    None => write!(f, ": boxwood cpu list names all"),
                }
            }
            Self::NotExecuted(name) => write!(f, "the CPU feature {name} is not there in Boxwood"),
            Self::NoSign(word) => {
                write!(
                    f,
                    "{word:?}: features follow the CPU model with + or - before each, as in max,-avx2"
                )
            }
            Self::Twice(name) => write!(f, "the CPU feature {name} is named twice"),
            Self::NoCpuid { model } => write!(
                f,
                "the {model} has no CPUID to say so, thus its features cannot be changed (but fpu from the 80386 on)"
            ),
            Self::PartOf { feature, whole } => {
                write!(f, "the CPU feature {feature} comes and goes with {whole}")
            }
            Self::Needs {
                feature,
                needed,
                model,
            } => write!(
                f,
                "the CPU feature {feature} needs {needed}, which {model} has not"
            ),
        }
    }
}

impl std::error::Error for ModelError {}

impl CpuModel {
    /// The model that NAME[,+feature][,-feature]... means.
    ///
    /// One that differs from all models with a name of their own is made and never given back: a process makes it
    /// once for each machine that it builds, and everything that holds a CPU may then hold a plain reference.
    pub fn named(text: &str) -> Result<&'static Self, ModelError> {
        let mut words = text.split(',');
        let name = words.next().unwrap_or_default();
        let base = Self::by_name(name).ok_or_else(|| ModelError::Unknown(name.to_string()))?;
        let mut model = base.clone();
        let mut seen: Vec<&str> = Vec::new();
        let mut added: Vec<&Flag> = Vec::new();
        for word in words {
            let (on, name) = match (word.strip_prefix('+'), word.strip_prefix('-')) {
                (Some(name), _) => (true, name),
                (_, Some(name)) => (false, name),
                _ => return Err(ModelError::NoSign(word.to_string())),
            };
            let flag = modifiable(base, name)?;
            if seen.contains(&flag.name) {
                return Err(ModelError::Twice(flag.name));
            }
            seen.push(flag.name);
            if on {
                added.push(flag);
            } else {
                model = model.without_flag(flag);
            }
        }
        for flag in added {
            model = model.with_flag(flag);
        }
        if let Some((feature, needed)) = model.unmet() {
            let model = text.to_string();
            return Err(ModelError::Needs {
                feature,
                needed,
                model,
            });
        }
        let name = canonical_name(base, &model);
        if name == base.name {
            return Ok(base);
        }
        model.name = Box::leak(name.into_boxed_str());
        Ok(Box::leak(Box::new(model)))
    }

    /// A feature that the model has, and one that it needs and the model has not.
    fn unmet(&self) -> Option<(&'static str, &'static str)> {
        self.flags().find_map(|flag| {
            let lacking = |name: &&&str| Flag::by_name(name).is_some_and(|f| !f.is_in(self));
            flag.needs
                .iter()
                .find(lacking)
                .map(|needed| (flag.name, *needed))
        })
    }
}

/// The feature of that name, if it can be given to the model and taken from it.
fn modifiable(model: &CpuModel, name: &str) -> Result<&'static Flag, ModelError> {
    let Some(flag) = Flag::by_name(name) else {
        let lacked = CpuModel::ALL.iter().flat_map(|m| m.lacks);
        let lacked = lacked.copied().find(|lacked| *lacked == name);
        return Err(lacked.map_or_else(
            || ModelError::UnknownFeature(name.to_string()),
            ModelError::NotExecuted,
        ));
    };
    let is_fpu_of_32_bits = flag.name == "fpu" && model.processor.is_none();
    if !model.has(F::CPUID) && !is_fpu_of_32_bits {
        return Err(ModelError::NoCpuid { model: model.name });
    }
    match flag.part_of {
        Some(whole) => Err(ModelError::PartOf {
            feature: flag.name,
            whole,
        }),
        None => Ok(flag),
    }
}

/// The base model's name and the differences from it, in the order of the features.
fn canonical_name(base: &CpuModel, model: &CpuModel) -> String {
    let mut name = base.name.to_string();
    for flag in FLAGS.iter().filter(|f| f.part_of.is_none()) {
        match (flag.is_in(base), flag.is_in(model)) {
            (false, true) => name += &format!(",+{}", flag.name),
            (true, false) => name += &format!(",-{}", flag.name),
            _ => {}
        }
    }
    name
}

/// The name that is most like one that does not exist, if one is.
fn nearest(name: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    names
        .map(|n| (distance(name, n), n))
        .min()
        .filter(|(d, n)| d * 3 <= n.len())
        .map(|(_, n)| n)
}

/// How many letters must be put in, left out or changed to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> &'static CpuModel {
        CpuModel::named(text).unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn features_are_added_and_taken_off_and_cpuid_says_so() {
        let haswell = named("haswell");
        let less = named("haswell,-avx2,-movbe");
        assert_eq!(haswell.cpuid(7, 0)[1] & 1 << 5, 1 << 5);
        assert_eq!(less.cpuid(7, 0)[1] & 1 << 5, 0);
        assert_eq!(haswell.cpuid(1, 0)[2] ^ less.cpuid(1, 0)[2], 1 << 22);
        assert!(!less.has(F::AVX2) && less.has(F::AVX));
        // AVX2 has its bit in leaf 7, so there is one.
        let more = named("core2,+xsave,+avx,+avx2");
        assert_eq!(more.cpuid(7, 0)[1], 1 << 5);
        assert_eq!(more.cpuid(0, 0)[0], 0xD);
        assert_eq!(named("core2").cpuid(0, 0)[0], 0xA);
    }

    #[test]
    fn the_name_of_a_model_says_how_it_differs_in_one_way_only() {
        assert_eq!(named("haswell,+avx2").name, "haswell");
        assert!(std::ptr::eq(named("HASWELL,+avx2"), named("haswell")));
        let one = named("haswell,-movbe,-avx2");
        assert_eq!(one.name, "haswell,-movbe,-avx2");
        assert_eq!(named("haswell,-avx2,-movbe").name, one.name);
        assert_eq!(named(one.name).name, one.name);
        assert_eq!(named("80486,-fpu").name, "80486,-fpu");
    }

    #[test]
    fn what_cannot_be_had_is_told_in_one_sentence() {
        for (text, sentence) in [
            ("pentium9", "\"pentium9\" is not known"),
            ("max,+sse4.1", "\"sse4.1\" is not known; is it sse4_1?"),
            ("max,avx", "features follow the CPU model with + or -"),
            ("haswell,-avx", "fma needs avx, which haswell,-avx has not"),
            ("pentium,+sse", "sse needs fxsr, which pentium,+sse has not"),
            ("80386,+cmov", "the 80386 has no CPUID"),
            ("80286,-fpu", "the 80286 has no CPUID"),
            ("haswell,+vmx", "vmx is not there"),
            ("max,-lahf_lm", "lahf_lm comes and goes with lm"),
            ("max,-avx2,+avx2", "avx2 is named twice"),
        ] {
            let error = CpuModel::named(text).expect_err(text).to_string();
            assert!(error.contains(sentence), "{text}: {error}");
            assert!(!error.contains('\n'));
        }
    }

    #[test]
    fn every_model_has_what_its_features_need() {
        for model in CpuModel::ALL {
            if model.has(F::CPUID) {
                assert_eq!(model.unmet(), None, "{}", model.name);
            }
        }
    }

    #[test]
    fn what_a_model_is_said_to_lack_is_not_executed_by_it() {
        for model in CpuModel::ALL {
            for name in model.lacks {
                let executed = Flag::by_name(name).is_some_and(|f| f.is_in(model));
                assert!(!executed, "{}: {name}", model.name);
            }
        }
    }
}
