//! PDF: the text of its pages.

use pdf_extract::{Document, OutputError, extract_text_from_mem_by_pages};

use super::{MAX_PAGES, ReadError, Section};

/// The pages of a document.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Section>, ReadError> {
    // The mark may stand after other bytes, at most so many (ISO 32000-1, annex H.3.4.1).
    if !bytes.iter().take(1_024).copied().collect::<Vec<_>>().windows(5).any(|five| five == b"%PDF-") {
        return Err(ReadError::Broken("is no PDF".to_owned()));
    }
    let document = Document::load_mem(bytes).map_err(|error| broken(&error.to_string()))?;
    let pages = document.get_pages().len();
    drop(document);
    if pages > MAX_PAGES {
        return Err(ReadError::TooLarge(format!("{MAX_PAGES} pages")));
    }
    let pages = extract_text_from_mem_by_pages(bytes).map_err(|error| match error {
        OutputError::PdfError(error) => broken(&error.to_string()),
        error => broken(&error.to_string()),
    })?;
    let page = |(index, text)| Section { place: format!("page {}", index + 1), text };
    Ok(pages.into_iter().enumerate().map(page).collect())
}

fn broken(message: &str) -> ReadError {
    let message = message.to_lowercase();
    if message.contains("password") || message.contains("encrypt") || message.contains("decrypt") {
        return ReadError::Protected;
    }
    ReadError::Broken("is broken: it is no PDF that can be read".to_owned())
}
