//! The page of each code, as `dgh explain`, editors and the reference show it.

use crate::Code;

/// The page about a code, in Markdown: what it means, a wrong and a right example, how to fix it.
pub fn explain(code: Code) -> &'static str {
    let at = PAGES.binary_search_by_key(&(code as u16), |(number, _)| *number);
    // A test keeps the pages complete; a heading is still better than nothing.
    at.ok().and_then(|i| PAGES.get(i)).map_or(code.title(), |(_, page)| page)
}

const PAGES: &[(u16, &str)] = &[
    (1, include_str!("../codes/E0001.md")),
    (2, include_str!("../codes/E0002.md")),
    (3, include_str!("../codes/E0003.md")),
    (4, include_str!("../codes/E0004.md")),
    (5, include_str!("../codes/E0005.md")),
    (6, include_str!("../codes/E0006.md")),
    (7, include_str!("../codes/E0007.md")),
    (8, include_str!("../codes/E0008.md")),
    (9, include_str!("../codes/E0009.md")),
    (10, include_str!("../codes/E0010.md")),
    (11, include_str!("../codes/E0011.md")),
    (12, include_str!("../codes/E0012.md")),
    (13, include_str!("../codes/E0013.md")),
    (14, include_str!("../codes/E0014.md")),
    (15, include_str!("../codes/E0015.md")),
    (16, include_str!("../codes/E0016.md")),
    (17, include_str!("../codes/E0017.md")),
    (18, include_str!("../codes/E0018.md")),
    (19, include_str!("../codes/E0019.md")),
    (20, include_str!("../codes/E0020.md")),
    (101, include_str!("../codes/E0101.md")),
    (102, include_str!("../codes/E0102.md")),
    (103, include_str!("../codes/E0103.md")),
    (104, include_str!("../codes/E0104.md")),
    (105, include_str!("../codes/E0105.md")),
    (106, include_str!("../codes/E0106.md")),
    (107, include_str!("../codes/E0107.md")),
    (108, include_str!("../codes/E0108.md")),
    (109, include_str!("../codes/E0109.md")),
    (110, include_str!("../codes/E0110.md")),
    (111, include_str!("../codes/E0111.md")),
    (112, include_str!("../codes/E0112.md")),
    (113, include_str!("../codes/E0113.md")),
    (114, include_str!("../codes/E0114.md")),
    (115, include_str!("../codes/E0115.md")),
    (116, include_str!("../codes/E0116.md")),
    (117, include_str!("../codes/E0117.md")),
    (118, include_str!("../codes/E0118.md")),
    (119, include_str!("../codes/E0119.md")),
    (120, include_str!("../codes/E0120.md")),
    (121, include_str!("../codes/E0121.md")),
    (122, include_str!("../codes/E0122.md")),
    (123, include_str!("../codes/E0123.md")),
    (124, include_str!("../codes/E0124.md")),
    (125, include_str!("../codes/E0125.md")),
    (126, include_str!("../codes/I0126.md")),
    (127, include_str!("../codes/I0127.md")),
    (128, include_str!("../codes/E0128.md")),
    (129, include_str!("../codes/E0129.md")),
    (130, include_str!("../codes/E0130.md")),
    (131, include_str!("../codes/E0131.md")),
    (132, include_str!("../codes/E0132.md")),
    (133, include_str!("../codes/E0133.md")),
    (134, include_str!("../codes/E0134.md")),
    (135, include_str!("../codes/E0135.md")),
    (136, include_str!("../codes/E0136.md")),
    (137, include_str!("../codes/E0137.md")),
    (138, include_str!("../codes/E0138.md")),
    (139, include_str!("../codes/E0139.md")),
    (201, include_str!("../codes/E0201.md")),
    (202, include_str!("../codes/E0202.md")),
    (203, include_str!("../codes/E0203.md")),
    (204, include_str!("../codes/E0204.md")),
    (205, include_str!("../codes/E0205.md")),
    (206, include_str!("../codes/E0206.md")),
    (207, include_str!("../codes/E0207.md")),
    (208, include_str!("../codes/E0208.md")),
    (210, include_str!("../codes/E0210.md")),
    (211, include_str!("../codes/E0211.md")),
    (301, include_str!("../codes/E0301.md")),
    (302, include_str!("../codes/E0302.md")),
    (303, include_str!("../codes/E0303.md")),
    (304, include_str!("../codes/E0304.md")),
    (305, include_str!("../codes/E0305.md")),
    (306, include_str!("../codes/E0306.md")),
    (307, include_str!("../codes/E0307.md")),
    (308, include_str!("../codes/E0308.md")),
    (309, include_str!("../codes/E0309.md")),
    (310, include_str!("../codes/E0310.md")),
    (311, include_str!("../codes/E0311.md")),
    (312, include_str!("../codes/E0312.md")),
    (313, include_str!("../codes/E0313.md")),
    (401, include_str!("../codes/E0401.md")),
    (402, include_str!("../codes/W0402.md")),
    (403, include_str!("../codes/W0403.md")),
    (404, include_str!("../codes/W0404.md")),
    (410, include_str!("../codes/W0410.md")),
    (412, include_str!("../codes/W0412.md")),
    (413, include_str!("../codes/W0413.md")),
    (414, include_str!("../codes/W0414.md")),
    (415, include_str!("../codes/W0415.md")),
    (416, include_str!("../codes/W0416.md")),
    (417, include_str!("../codes/W0417.md")),
    (418, include_str!("../codes/W0418.md")),
    (419, include_str!("../codes/W0419.md")),
    (420, include_str!("../codes/W0420.md")),
    (421, include_str!("../codes/W0421.md")),
    (422, include_str!("../codes/W0422.md")),
    (423, include_str!("../codes/W0423.md")),
    (501, include_str!("../codes/E0501.md")),
    (502, include_str!("../codes/E0502.md")),
    (503, include_str!("../codes/E0503.md")),
    (504, include_str!("../codes/E0504.md")),
    (510, include_str!("../codes/E0510.md")),
    (511, include_str!("../codes/E0511.md")),
    (512, include_str!("../codes/E0512.md")),
    (513, include_str!("../codes/E0513.md")),
    (514, include_str!("../codes/E0514.md")),
    (601, include_str!("../codes/E0601.md")),
    (602, include_str!("../codes/E0602.md")),
    (610, include_str!("../codes/E0610.md")),
    (611, include_str!("../codes/W0611.md")),
    (701, include_str!("../codes/E0701.md")),
    (702, include_str!("../codes/E0702.md")),
    (703, include_str!("../codes/E0703.md")),
    (704, include_str!("../codes/E0704.md")),
    (801, include_str!("../codes/H0801.md")),
    (802, include_str!("../codes/H0802.md")),
    (803, include_str!("../codes/H0803.md")),
    (804, include_str!("../codes/H0804.md")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_page_and_every_page_its_code() {
        let codes: Vec<u16> = Code::ALL.iter().map(|c| *c as u16).collect();
        let pages: Vec<u16> = PAGES.iter().map(|(number, _)| *number).collect();
        assert_eq!(codes, pages, "the table is in the order of the codes");
        for code in Code::ALL {
            let heading = format!("# {code}: {}\n\n", code.title());
            assert!(explain(*code).starts_with(&heading), "{code} must start with {heading:?}");
            assert!(explain(*code).contains("\n## How to fix it\n"), "{code} must say how to fix it");
        }
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/codes");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("the pages have a folder")
            .map(|f| f.expect("it can be listed").file_name().to_string_lossy().into_owned())
            .collect();
        files.sort_by_key(|name| name.get(1..5).map(str::to_owned));
        let named: Vec<String> = Code::ALL.iter().map(|c| format!("{c}.md")).collect();
        assert_eq!(files, named);
    }
}
