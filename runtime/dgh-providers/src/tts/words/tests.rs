//! Spoken words beside texts: what was marked, with the text up to each mark.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

/// The marks, each as the text since the mark before, and its time.
fn marked(text: &str, speak: impl FnOnce(&mut Aligner, &mut Vec<WordMark>)) -> Vec<(String, u32)> {
    let (mut aligner, mut marks) = (Aligner::new(text), Vec::new());
    speak(&mut aligner, &mut marks);
    aligner.finish(&mut marks);
    let mut from = 0;
    marks
        .iter()
        .map(|mark| {
            let end = mark.end as usize;
            let piece = text[from..end].trim().to_owned();
            from = end;
            (piece, mark.start_ms)
        })
        .collect()
}

fn by_words(text: &str, words: &[(&str, u32)]) -> Vec<(String, u32)> {
    marked(text, |aligner, marks| words.iter().for_each(|(word, at)| aligner.word(word, *at, marks)))
}

fn by_letters(text: &str, spoken: &str) -> Vec<(String, u32)> {
    marked(text, |aligner, marks| {
        spoken.chars().zip((0..).step_by(10)).for_each(|(letter, at)| aligner.letter(letter, at, marks));
    })
}

fn expect(marks: &[(&str, u32)]) -> Vec<(String, u32)> {
    marks.iter().map(|(text, at)| ((*text).to_owned(), *at)).collect()
}

#[test]
fn ends_are_bytes_of_the_text() {
    let (mut aligner, mut marks) = (Aligner::new("Grüß Gott, Zoë!"), Vec::new());
    for (word, at) in [("Grüß", 0), ("Gott,", 300), ("Zoë!", 700)] {
        aligner.word(word, at, &mut marks);
    }
    let at = |end, start_ms| WordMark { end, start_ms };
    assert_eq!(marks, [at(6, 0), at(12, 300), at(18, 700)]);
}

#[test]
fn punctuation_and_case_do_not_matter() {
    assert_eq!(
        by_words("“Well” – it's YOURS…", &[("well", 0), ("its", 200), ("yours", 400)]),
        expect(&[("“Well”", 0), ("– it's", 200), ("YOURS…", 400)])
    );
}

#[test]
fn words_that_are_spoken_differently_get_the_times_of_what_was_spoken() {
    assert_eq!(
        by_words(
            "It costs $20 today.",
            &[("It", 0), ("costs", 100), ("twenty", 200), ("dollars", 400), ("today", 800)]
        ),
        expect(&[("It", 0), ("costs", 100), ("$20", 200), ("today.", 800)])
    );
    // Fewer words than the text has.
    assert_eq!(
        by_words("at 5 p. m. sharp", &[("at", 0), ("seventeen", 100), ("hundred", 300), ("sharp", 600)]),
        expect(&[("at", 0), ("5", 100), ("p.", 100), ("m.", 300), ("sharp", 600)])
    );
    // At the end.
    assert_eq!(
        by_words("Pay €5", &[("Pay", 0), ("five", 100), ("euros", 300)]),
        expect(&[("Pay", 0), ("€5", 100)])
    );
}

#[test]
fn a_word_in_several_parts_is_marked_once() {
    assert_eq!(
        by_words("the twenty-one men", &[("the", 0), ("twenty", 100), ("one", 200), ("men", 300)]),
        expect(&[("the", 0), ("twenty-one", 100), ("men", 300)])
    );
}

#[test]
fn what_was_not_spoken_has_no_mark_and_what_fits_nothing_does_no_harm() {
    assert_eq!(
        by_words("one two three", &[("one", 0), ("three", 500)]),
        expect(&[("one", 0), ("two three", 500)])
    );
    assert_eq!(by_words("", &[("hello", 0)]), []);
    assert_eq!(by_words("hello", &[]), []);
    assert_eq!(by_words("…", &[("…", 0)]), []);
    // A word far ahead is not taken for the one that is spoken now.
    let text = "a b c d e f g h i j stop";
    assert_eq!(by_words(text, &[("stop", 0), ("a", 10), ("b", 20)])[..2], expect(&[("a", 0), ("b", 20)]));
}

#[test]
fn times_never_go_back() {
    assert_eq!(by_words("one two", &[("one", 500), ("two", 100)]), expect(&[("one", 500), ("two", 500)]));
}

#[test]
fn letters_become_words() {
    assert_eq!(by_letters("Äh, ja gut.", "Äh, ja gut. "), expect(&[("Äh,", 0), ("ja", 40), ("gut.", 70)]));
    // Spoken letters in normalised form.
    assert_eq!(by_letters("No 5 now", " No five now "), expect(&[("No", 10), ("5", 40), ("now", 90)]));
}

#[test]
fn scripts_without_spaces_have_a_mark_per_letter() {
    assert_eq!(by_letters("こんにちは。", "こんにちは。").len(), 5);
    assert_eq!(
        by_words("你好,世界", &[("你好", 0), ("世界", 400)]),
        expect(&[("你", 0), ("好,", 0), ("世", 400), ("界", 400)])
    );
}

#[test]
fn a_provider_that_speaks_something_else_is_borne() {
    let words: Vec<String> = (0..10_000).map(|n| format!("w{n}")).collect();
    let (mut aligner, mut marks) = (Aligner::new("hello there"), Vec::new());
    for word in &words {
        aligner.word(word, 5, &mut marks);
    }
    assert!(aligner.unplaced.len() <= MAX_UNPLACED);
    aligner.finish(&mut marks);
    assert_eq!(marks.len(), 2);
}
