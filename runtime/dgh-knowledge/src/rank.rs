//! Which passages fit a question best: by their words, by their meaning, and by both.

use std::collections::HashMap;

/// How many passages there are, and how many words: what is rare is seen by it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Corpus {
    /// Passages.
    pub passages: usize,
    /// Words of all passages.
    pub words: usize,
}

// Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), 3.5: the
// usual values.
const K1: f64 = 1.2;
const B: f64 = 0.75;

/// The passages that share words with the question, best first, by BM25. `passages` are all that
/// hold any of its words; others of the corpus may be left out.
pub fn bm25(question: &[String], passages: &[Vec<&str>], corpus: Corpus) -> Vec<usize> {
    let mut wanted: Vec<&str> = question.iter().map(String::as_str).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let place: HashMap<&str, usize> = wanted.iter().enumerate().map(|(place, word)| (*word, place)).collect();
    let mut counts = vec![vec![0_u32; wanted.len()]; passages.len()];
    let mut holders = vec![0_u32; wanted.len()];
    for (passage, counts) in passages.iter().zip(&mut counts) {
        for place in passage.iter().filter_map(|word| place.get(word)) {
            if let Some(count) = counts.get_mut(*place) {
                *count += 1;
            }
        }
        for (count, holders) in counts.iter().zip(&mut holders) {
            *holders += u32::from(*count > 0);
        }
    }
    let all = to_f64(corpus.passages.max(passages.len()).max(1));
    let usual = (to_f64(corpus.words) / all).max(1.0);
    let rarity: Vec<f64> = holders
        .iter()
        .map(|holders| (1.0 + (all - f64::from(*holders) + 0.5) / (f64::from(*holders) + 0.5)).ln())
        .collect();
    let score = |(passage, counts): (&Vec<&str>, &Vec<u32>)| -> f64 {
        let length = K1 * (1.0 - B + B * to_f64(passage.len()) / usual);
        let each = counts.iter().zip(&rarity).map(|(count, rarity)| {
            let count = f64::from(*count);
            rarity * count * (K1 + 1.0) / (count + length)
        });
        each.sum()
    };
    let scores: Vec<f64> = passages.iter().zip(&counts).map(score).collect();
    best_first(&scores, |score| score > 0.0)
}

/// How much two vectors mean the same: 1 at most; 0 where one of them is none.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    if a.len() != b.len() {
        return 0.0;
    }
    let (mut product, mut first, mut second) = (0.0_f32, 0.0_f32, 0.0_f32);
    for (a, b) in a.iter().zip(b) {
        product += a * b;
        first += a * a;
        second += b * b;
    }
    let length = (first * second).sqrt();
    if length > 0.0 { product / length } else { 0.0 }
}

/// Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009): what stands high in several lists
/// stands first. A score of one list need not be like that of another.
pub fn fuse(lists: &[Vec<usize>]) -> Vec<usize> {
    /// The value of the paper: the first places of a list do not decide alone.
    const K: f64 = 60.0;
    let most = lists.iter().flatten().max().map_or(0, |most| most + 1);
    let mut scores = vec![0.0; most];
    for list in lists {
        for (rank, index) in list.iter().enumerate() {
            if let Some(score) = scores.get_mut(*index) {
                *score += 1.0 / (K + to_f64(rank + 1));
            }
        }
    }
    best_first(&scores, |score| score > 0.0)
}

/// Places of the scores that count, the highest first; of equals the one that stands first.
pub(crate) fn best_first(scores: &[f64], counts: impl Fn(f64) -> bool) -> Vec<usize> {
    let mut best: Vec<(usize, f64)> =
        scores.iter().copied().enumerate().filter(|(_, s)| counts(*s)).collect();
    best.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    best.into_iter().map(|(index, _)| index).collect()
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn to_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(words: &str) -> Vec<String> {
        words.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_rare_word_counts_more_than_frequent_ones() {
        let texts =
            ["the park is the green one", "the shop", "the parking costs the same", "the the the the"];
        let passages: Vec<Vec<&str>> = texts.iter().map(|text| text.split(' ').collect()).collect();
        let words = passages.iter().map(Vec::len).sum();
        let ranked = bm25(&question("the parking"), &passages, Corpus { passages: 4, words });
        assert_eq!(ranked.first(), Some(&2));
        assert_eq!(bm25(&question("train"), &passages, Corpus { passages: 4, words }), Vec::<usize>::new());
    }

    #[test]
    fn what_stands_high_in_both_lists_is_first() {
        assert_eq!(fuse(&[vec![3, 1, 2], vec![1, 0]]), [1, 3, 0, 2]);
        assert_eq!(fuse(&[vec![2, 0]]), [2, 0]);
        assert!(fuse(&[vec![], vec![]]).is_empty());
    }

    #[test]
    fn vectors_are_compared_by_their_direction() {
        assert!((cosine(&[1.0, 2.0], &[2.0, 4.0]) - 1.0).abs() < 1e-6);
        assert!(cosine(&[1.0, 0.0], &[0.0, 3.0]).abs() < 1e-6);
        assert!(cosine(&[0.0, 0.0], &[1.0, 0.0]).abs() < 1e-6 && cosine(&[1.0], &[1.0, 0.0]).abs() < 1e-6);
    }
}
