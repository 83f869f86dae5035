#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../fixtures/", $name)).to_vec()
    };
}

fn sections(format: Format, bytes: Vec<u8>) -> Vec<(String, String)> {
    read(format, bytes).unwrap().into_iter().map(|section| (section.place, section.text)).collect()
}

fn refusal(format: Format, bytes: Vec<u8>) -> String {
    read(format, bytes).unwrap_err().to_string()
}

#[test]
fn a_pdf_is_its_pages() {
    let pages = sections(Format::Pdf, fixture!("clinic.pdf"));
    let places: Vec<&str> = pages.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, ["page 1", "page 2", "page 3"]);
    assert!(pages[0].1.contains("On Saturday we open from 9:00 to 12:00."), "{}", pages[0].1);
    assert!(pages[2].1.starts_with("Insurance"), "{}", pages[2].1);
}

#[test]
fn a_docx_is_its_headings_paragraphs_and_tables() {
    let all = sections(Format::Docx, fixture!("hotel.docx"));
    assert_eq!(
        all,
        [
            (
                "House rules > Arrival".to_owned(),
                "Rooms are ready from three in the afternoon.\n\nLuggage can be left at the reception before that."
                    .to_owned()
            ),
            (
                "House rules > Pets".to_owned(),
                "Dogs are welcome for ten euros a night.\n\nAnimal | Price\nCat | free".to_owned()
            ),
        ]
    );
}

#[test]
fn a_page_is_its_words_without_what_stands_around_them() {
    let all = sections(Format::Html, fixture!("museum.html"));
    let places: Vec<&str> = all.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, ["Your visit", "Your visit > Tickets", "Your visit > Guided tours"]);
    assert!(all[1].1.contains("Adults pay 12 euros, students 7 euros. Café included."), "{}", all[1].1);
    assert!(all[1].1.contains("School class 40 euros"), "{}", all[1].1);
    assert!(all[2].1.contains("Español a las doce"));
    for hidden in ["Shop navigation", "script words", "color", "Imprint"] {
        assert!(!all.iter().any(|(_, text)| text.contains(hidden)), "{hidden}");
    }
}

#[test]
fn markdown_is_its_sections_and_code_is_no_heading() {
    let all = sections(Format::Markdown, fixture!("faq.md"));
    let places: Vec<&str> = all.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(
        places,
        ["Questions", "Questions > Deliveries", "Questions > Deliveries > Abroad", "Questions > Returns"]
    );
    assert!(all[1].1.contains("# not a heading"));
}

#[test]
fn a_table_is_its_rows_with_the_names_of_the_columns() {
    let all = sections(Format::Csv, fixture!("prices.csv"));
    assert_eq!(
        all[0],
        (
            "row 2".to_owned(),
            "service: Cleaning; price: 79 EUR; minutes: 45; note: Twice a year, please".to_owned()
        )
    );
    assert_eq!(all[1].1, "service: Whitening; price: 249 EUR; minutes: 60");
    assert!(all[2].1.ends_with("With \"gentle\" anaesthesia"));
    let german = sections(Format::Csv, b"Leistung;Preis\nReinigung;79,00\n".to_vec());
    assert_eq!(german[0].1, "Leistung: Reinigung; Preis: 79,00");
}

#[test]
fn text_is_read_in_the_letters_it_was_written_in() {
    let words = |bytes: &[u8]| sections(Format::Text, bytes.to_vec())[0].1.clone();
    assert_eq!(words("Grüße".as_bytes()), "Grüße");
    assert_eq!(words(b"Gr\xfc\xdfe"), "Grüße");
    assert_eq!(words(b"\xef\xbb\xbfHello\r\n\r\n\r\nyou  \r\n"), "Hello\n\nyou");
    assert_eq!(words(b"\xff\xfeH\0i\0"), "Hi");
}

#[test]
fn what_cannot_be_read_is_told_in_words() {
    assert_eq!(refusal(Format::Pdf, b"hello".to_vec()), "is no PDF");
    assert!(refusal(Format::Pdf, b"%PDF-1.7 and nothing".to_vec()).contains("no PDF that can be read"));
    let mut half = fixture!("clinic.pdf");
    half.truncate(900);
    assert!(refusal(Format::Pdf, half).contains("broken"));
    assert!(refusal(Format::Docx, b"PK".to_vec()).contains("no .docx"));
    assert!(refusal(Format::Docx, fixture!("clinic.pdf")).contains("no .docx"));
    assert_eq!(refusal(Format::Text, b"a\0b".to_vec()), "is no text");
    assert!(refusal(Format::Text, b" \n ".to_vec()).contains("has no text"));
    assert!(refusal(Format::Csv, b"a,b\n".to_vec()).contains("has no text"));
    assert!(refusal(Format::Html, b"<script>x</script>".to_vec()).contains("has no text"));
    assert!(refusal(Format::Text, vec![b'a'; MAX_TEXT + 1]).contains("4 MB of text"));
}

#[test]
fn a_page_that_nests_without_end_is_refused_at_once() {
    let deep = "<div>".repeat(100_000);
    assert!(refusal(Format::Html, deep.into_bytes()).contains("inside of each other"));
    let unclosed = "<p>word".repeat(2_000);
    assert!(read(Format::Html, unclosed.into_bytes()).is_ok());
}

#[test]
fn a_reader_that_panics_or_hangs_is_an_error() {
    let panicked = within(READ_TIME, || -> Result<(), ReadError> { panic!("as a library might") });
    assert_eq!(panicked, Err(ReadError::Broken("is broken".to_owned())));
    let slow = within(Duration::from_millis(10), || {
        thread::sleep(Duration::from_millis(200));
        Ok(())
    });
    assert_eq!(slow, Err(ReadError::TooSlow));
}

#[test]
fn a_name_tells_the_kind() {
    assert_eq!(Format::of_path("docs/Faq.PDF"), Some(Format::Pdf));
    assert_eq!(Format::of_path("docs.v2/readme"), None);
    assert_eq!(Format::of_answer(Some("text/html; charset=utf-8"), "/faq.pdf"), Some(Format::Html));
    assert_eq!(Format::of_answer(Some("text/plain"), "/faq.md"), Some(Format::Markdown));
    assert_eq!(Format::of_answer(Some("application/octet-stream"), "/faq.pdf"), Some(Format::Pdf));
    assert_eq!(Format::of_answer(None, "/faq"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happened to a file on its way, it is read or refused.
    #[test]
    fn no_file_is_worse_than_an_error(
        which in 0..5_usize,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..40),
        cut in any::<prop::sample::Index>(),
    ) {
        let (format, mut bytes) = match which {
            0 => (Format::Pdf, fixture!("clinic.pdf")),
            1 => (Format::Docx, fixture!("hotel.docx")),
            2 => (Format::Html, fixture!("museum.html")),
            3 => (Format::Csv, fixture!("prices.csv")),
            _ => (Format::Markdown, fixture!("faq.md")),
        };
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len() * 4) + 1);
        let read = read_within_reason(format, bytes);
        prop_assert!(read.is_ok() || !read.unwrap_err().to_string().is_empty());
    }
}

fn read_within_reason(format: Format, bytes: Vec<u8>) -> Result<Vec<Section>, ReadError> {
    within(READ_TIME, move || read_here(format, &bytes))
}
