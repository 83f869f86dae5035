//! Every kind of finding, once. The number is the discriminant, so a number given twice does not
//! compile; the letter follows from the severity. Each has a page in `codes/`.

use std::fmt;

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Stops compiling and publishing. Letter `E`.
    Error,
    /// Worth a look; exit code 0. Letter `W`.
    Warning,
    /// A fact about what could not be checked. Letter `I`.
    Info,
    /// Shown by editors and `--pedantic`. Letter `H`.
    Hint,
}

impl Severity {
    /// The word for it: `error`, `warning`, `info`, `hint`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Hint => "hint",
        }
    }

    /// The letter in front of the number.
    pub fn letter(self) -> char {
        match self {
            Self::Error => 'E',
            Self::Warning => 'W',
            Self::Info => 'I',
            Self::Hint => 'H',
        }
    }
}

macro_rules! codes {
    ($($number:literal $severity:ident $name:ident $title:literal;)*) => {
        /// The kinds of finding.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Code {
            $(#[doc = $title] $name = $number,)*
        }

        impl Code {
            /// All of them, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// How grave it is.
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// What it is about, as a heading.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

// 00xx text and structure · 01xx names, imports, configuration · 02xx types and units ·
// 03xx paths through the dialogue · 04xx routes and leftovers · 05xx policies and privacy ·
// 06xx channels, carriers, models · 07xx tests · 08xx shape
codes! {
    1 Error NotUtf8 "The file is not UTF-8";
    2 Error StrayCharacter "A character that has no meaning here";
    3 Error UnclosedString "A string that does not end";
    4 Error UnclosedInterpolation "A `{{` without its `}}`";
    5 Error BadEscape "An escape that does not exist";
    6 Error UnclosedBrace "A bracket that is not closed";
    7 Error StrayClosing "A closing bracket without its opening one";
    8 Error TooDeep "Nesting past the limit";
    9 Error Expected "Something else was expected here";
    10 Error MissingEdition "The first line does not name the edition";
    11 Error UnknownEdition "An edition that this compiler does not know";
    12 Error UnknownItem "No such kind of item";
    13 Error UnknownStatement "No such statement here";
    14 Error UnknownGroup "No such group of settings";
    15 Error ForeignSyntax "The spelling of another language";
    16 Error BadLiteral "A number, date or unit that does not exist";
    17 Error FileTooLarge "A file past the limit";
    18 Error MissingTarget "An arrow without a target";
    19 Error MissingPart "A statement without one of its parts";
    20 Error BadName "A name in the wrong shape";

    101 Error UnknownName "No such name";
    102 Error UnknownNode "No such node";
    103 Error UnknownTool "No such tool";
    104 Error UnknownFlow "No such flow";
    105 Error UnknownAgent "No such agent";
    106 Error UnknownType "No such type";
    107 Error UnknownField "No such field";
    108 Error UnknownCase "No such case";
    109 Error UnknownOutcome "No such outcome";
    110 Error UnknownSetting "No such setting";
    111 Error UnknownParameter "No such parameter";
    112 Error UnknownProvider "No such provider";
    113 Error UnknownEvent "No such event";
    114 Error Duplicate "The same name twice";
    115 Error MissingArgument "An argument is missing";
    116 Error TooManyArguments "Too many arguments";
    117 Error UnknownImport "The imported file does not have this name";
    118 Error ImportNotFound "The imported file does not exist";
    119 Error ImportCycle "Files that import each other";
    120 Error FlowCycle "Flows that run each other";
    121 Error UnknownEnv "No such configuration value";
    122 Error UnknownSecret "No such secret";
    123 Error SecretMisplaced "A secret where it may not stand";
    124 Error BadConfig "dgh.toml does not fit";
    125 Error UnknownMcpTool "The MCP server has no such tool";
    126 Info NotLocked "MCP tools were not checked";
    127 Info NoConfig "Configuration values were not checked";
    128 Error MissingStart "No `start`";
    129 Error Conflict "Two things that exclude each other";
    130 Error Misplaced "Right word, wrong place";
    131 Error UnknownRecording "No such recording";
    132 Error UnknownPhrase "No such phrase";
    133 Error NotAssignable "Not something that can be set";
    134 Error RecursiveType "A type that contains itself";
    135 Error UnknownTransferReason "No such reason for a failed transfer";
    136 Error SettingRequired "A setting is missing";
    137 Error FileMissing "A file that the agent names does not exist";
    138 Error BareCredential "A credential that is not a secret";
    139 Error ReservedHeader "A header that is set by itself";

    201 Error WrongType "A value of another type";
    202 Error MixedUnits "Units that do not go together";
    203 Error MaybeMissing "A value that may be missing";
    204 Error NotCondition "Not a condition";
    205 Error NotComparable "Values that cannot be compared";
    206 Error NotCallable "Not something that can be called";
    207 Error NotText "Not something that can stand in a text";
    208 Error OutOfRange "A value outside its range";
    210 Error BadFormat "A format that this value does not have";
    211 Error NeverMissing "A test for a value that is always there";

    301 Error Unassigned "A value that may not be set on some path";
    302 Error UnreachableNode "A node that no path reaches";
    303 Error DeadEnd "A node with no way on";
    304 Error NoEnd "No path from here ends the call";
    305 Error NoProgress "A loop without a caller turn";
    306 Error MissingElse "Not every case has a way on";
    307 Error UnhandledError "A call whose failure has no way out";
    308 Error UnhandledFailedCollect "A collect whose failure has no way out";
    309 Error UnhandledTransferFailure "A transfer whose failure has no way out";
    310 Error NeverDone "A typed route in a node that is never done";
    311 Error StrayBack "`back` in a node that is not only a detour";
    312 Error StepOrder "A step where it cannot stand";
    313 Error UnhandledTransferred "A completed transfer without a way on";

    401 Error DuplicateLabel "Two routes with one label";
    402 Warning Subsumed "A condition that an earlier one already covers";
    403 Warning TooManyRoutes "More routes than a model tells apart";
    404 Warning OutcomeNeverUsed "An outcome that no path produces";
    410 Warning UnusedImport "An import that nothing uses";
    412 Warning UnusedVariable "A variable that nothing reads";
    413 Warning UnusedTool "A tool that nothing calls";
    414 Warning UnusedMcp "An MCP server that nothing uses";
    415 Warning UnusedKnowledge "Knowledge that nothing uses";
    416 Warning UnusedPhrase "A phrase that nothing says";
    417 Warning UnusedConst "A constant that nothing reads";
    418 Warning MissingTranslation "A phrase lacks a language";
    419 Warning RenamedWithoutMoved "A node vanished since the last release";
    420 Warning UnusedAllow "An `allow` that allows nothing";
    421 Warning UnusedType "A type that nothing uses";
    422 Warning UnusedFlow "A flow that nothing runs";
    423 Warning AfterElse "A route that is never looked at";

    501 Error EnsureBroken "A path reaches a node before what must come first";
    502 Error StartNotEnsured "The call does not start with what must come first";
    503 Error AlwaysUnchecked "An `always` that cannot be checked";
    504 Error NeverBroken "A value enters a place it must never enter";
    510 Error PrivateLeak "A private value enters a place it may not enter";
    511 Error PrivateAssigned "A private value given to a name that is not private";
    512 Error PrivateConfirmed "A private value would be read back";
    513 Error PrivateSpeechToSpeech "A private value would be heard by a speech-to-speech model";
    514 Error UselessReveal "`reveal` of a value that is not private";

    601 Error NoVoicemail "An outbound agent without a way for voicemail";
    602 Error NoCallingHours "An outbound agent without calling hours";
    610 Error NotSupported "A channel or model cannot do this";
    611 Warning PartlySupported "Some channels or models cannot do this";

    701 Error UnknownMeaning "A test means something that is not there";
    702 Error TestNeedsAgent "A test does not say which agent it is of";
    703 Error BadMock "A mock that does not fit";
    704 Error BadExpect "An expectation that cannot be checked";

    801 Hint OneQuestionNodes "A chain of one-question nodes";
    802 Hint TwoAnswers "The caller waits for two answers";
    803 Hint NoCorrected "A value that can no longer be corrected";
    804 Hint LongPrompt "A prompt over the model's budget";
}

impl Code {
    /// The code with this number.
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|c| *c as u16 == number)
    }

    /// Reads `E0201`, `e201` or `201`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.trim().trim_start_matches(|c: char| c.is_ascii_alphabetic());
        Self::from_number(digits.parse().ok()?)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:04}", self.severity().letter(), *self as u16)
    }
}
