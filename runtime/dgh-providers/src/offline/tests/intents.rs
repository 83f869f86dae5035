//! Which label a turn chooses, with the labels of the example agents.

use super::*;

fn choice(scene: &Scene, rows: &[(&str, Option<&str>)]) {
    check(rows, |(text, expected)| {
        let moves = scene.says(text);
        let found = gone(&moves);
        (found == *expected).then_some(()).ok_or_else(|| {
            let scores = super::super::turn::label_scores(&scene.clone().caller(text).request);
            format!("  {text:?}: {found:?}, not {expected:?}  {scores:?}")
        })
    });
}

fn stop(scene: Scene) -> Scene {
    scene.label("stop", "They ask not to be called again")
}

pub(super) fn greet() -> Scene {
    let scene = Scene::new()
        .persona("You are Maya, an AI assistant calling for Acme Solar. Warm and brief. One question at a time. Never quote a price.")
        .noted("budget", "Yearly budget in US dollars. Upper end if they give a range.", money())
        .noted("timeline", "When they would like to start.", cases(&["now", "this_quarter", "later"]))
        .noted("demo_at", "The exact demo time they agreed to, in their time zone.", Shape::DateTime)
        .label_like("agrees", "They agree to talk now", &["sure", "go ahead"], &[])
        .label("busy", "They would rather talk another time")
        .label("wrong", "Wrong person or wrong number")
        .label("question", "They ask about Acme Solar or its products");
    stop(scene).agent("Hi Sam, this is Maya, an AI assistant from Acme Solar. Do you have two minutes?")
}

#[test]
fn a_greeting() {
    choice(
        &greet(),
        &[
            ("Sure, go ahead", Some("agrees")),
            ("yes", Some("agrees")),
            ("Yeah I have two minutes", Some("agrees")),
            ("ok", Some("agrees")),
            ("no problem", Some("agrees")),
            ("why not", Some("agrees")),
            ("of course", Some("agrees")),
            ("fine, but be quick", Some("agrees")),
            ("Now is a bad time", Some("busy")),
            ("not now", Some("busy")),
            ("I'm driving", Some("busy")),
            ("Can you call me back tomorrow?", Some("busy")),
            ("I don't have time", Some("busy")),
            ("I'm in a meeting", Some("busy")),
            ("maybe later", Some("busy")),
            ("Wrong number", Some("wrong")),
            ("you have the wrong person", Some("wrong")),
            ("there is no Sam here", Some("wrong")),
            ("Who are you people?", Some("question")),
            ("What does Acme Solar sell?", Some("question")),
            ("what is this about?", Some("question")),
            ("Don't call me again", Some("stop")),
            ("take me off your list", Some("stop")),
            ("please stop calling", Some("stop")),
            ("yes, but never call this number again", Some("stop")),
            ("remove my number", Some("stop")),
            ("no", Some("busy")),
            ("how did you get my number?", Some("question")),
            ("not interested", None),
            ("purple elephants", None),
            ("hmm", None),
            ("hold on a second", None),
        ],
    );
}

#[test]
fn refusing_to_share() {
    let scene = Scene::new()
        .persona("You are Maya, an AI assistant calling for Acme Solar.")
        .prompt("Find out budget and timing. Accept rough answers.")
        .missing("budget", "Yearly budget in US dollars. Upper end if they give a range.", money())
        .missing("timeline", "When they would like to start.", cases(&["now", "this_quarter", "later"]))
        .label("refuses", "They will not share budget or timing")
        .label("question", "They ask about Acme Solar or its products");
    choice(
        &stop(scene).agent("What is your yearly budget in US dollars?"),
        &[
            ("I'd rather not say", Some("refuses")),
            ("I won't tell you that", Some("refuses")),
            ("that's none of your business", Some("refuses")),
            ("I don't want to share my budget", Some("refuses")),
            ("About 20 thousand dollars, and we want to start now", None),
            ("$15k this quarter", None),
            ("our budget is 10 grand", None),
            ("What products do you have?", Some("question")),
            ("leave me alone", Some("stop")),
        ],
    );
}

#[test]
fn a_debt() {
    let scene = Scene::new()
        .persona("You are Alex from Apex Recovery. Calm and respectful.")
        .prompt("Ask if they can pay today or in up to three parts. Listen first.")
        .noted("amount", "Amount the customer promises to pay", money())
        .noted("pay_on", "Date they promise to pay. Within 30 days.", Shape::Date)
        .label("pays", "They are willing to pay some amount")
        .label("disputes", "They say the debt is not theirs or the amount is wrong")
        .label("hardship", "They say they cannot pay because of hardship")
        .label("refuses", "They clearly refuse to pay")
        .label("stop", "They ask us to stop calling")
        .label("lawyer", "They say a lawyer represents them")
        .agent("Our records show a balance of 420 dollars. Can you pay today or in up to three parts?");
    choice(
        &scene,
        &[
            ("I could pay something", Some("pays")),
            ("yes", Some("pays")),
            ("I can pay half today", Some("pays")),
            ("okay, in three parts", Some("pays")),
            ("I want to pay it off", Some("pays")),
            ("that's not my debt", Some("disputes")),
            ("The amount is wrong", Some("disputes")),
            ("I already paid that", Some("disputes")),
            ("I don't owe you anything", Some("disputes")),
            ("I lost my job", Some("hardship")),
            ("I can't afford it", Some("hardship")),
            ("I can't pay, I have no income", Some("hardship")),
            ("I'm not paying", Some("refuses")),
            ("no, I refuse to pay", Some("refuses")),
            ("forget it", Some("refuses")),
            ("stop calling me", Some("stop")),
            ("Talk to my lawyer", Some("lawyer")),
            ("an attorney represents me", Some("lawyer")),
            ("how is the weather", None),
            ("what debt is this?", None),
            ("how much do I owe?", None),
            ("can I pay next month?", Some("pays")),
            ("I don't have any money", Some("hardship")),
        ],
    );
}

#[test]
fn the_right_person() {
    let scene = Scene::new()
        .label("yes", "They confirm they are this person")
        .label("other", "Someone else, or they don't know this person")
        .label("refuses", "They refuse to say who they are")
        .label("stop", "They ask us to stop calling")
        .agent("Am I speaking with Ana Diaz?");
    choice(
        &scene,
        &[
            ("Yes, that is me", Some("yes")),
            ("speaking", Some("yes")),
            ("this is she", Some("yes")),
            ("yep", Some("yes")),
            ("She is out, I am her roommate", Some("other")),
            ("no", Some("other")),
            ("wrong number", Some("other")),
            ("I don't know any Ana", Some("other")),
            ("I'm her husband", Some("other")),
            ("I'd rather not say", Some("refuses")),
            ("none of your business", Some("refuses")),
            ("Fine, but stop calling here", Some("stop")),
        ],
    );
}

#[test]
fn standard_questions() {
    let yes_no = Scene::new()
        .label_like("yes", "They say yes or agree", &["yes", "sure", "that is right"], &[])
        .label_like("no", "They say no or disagree", &["no", "not really", "that is wrong"], &[])
        .agent("Do you have a reservation?");
    choice(
        &yes_no,
        &[
            ("yes", Some("yes")),
            ("I do", Some("yes")),
            ("absolutely", Some("yes")),
            ("no", Some("no")),
            ("not really", Some("no")),
            ("I don't think so", Some("no")),
            ("no way", Some("no")),
            ("I'm not sure", None),
            ("no problem", Some("yes")),
        ],
    );
    let identity = Scene::new()
        .label_like("yes", "They confirm that they are this person", &["yes", "speaking", "that's me"], &[])
        .label_like(
            "other",
            "Someone else answers, or they do not know this person",
            &["wrong number", "she is not here"],
            &[],
        )
        .label_like("refuses", "They refuse to say who they are", &["why do you ask"], &[])
        .agent("Am I speaking with Ana Diaz?");
    choice(
        &identity,
        &[
            ("that's me", Some("yes")),
            ("he is not here", Some("other")),
            ("no, this is Bob", Some("other")),
            ("why do you ask?", Some("refuses")),
        ],
    );
    let date = Scene::new()
        .missing("day", "The day they name", Shape::Date)
        .label_like("unsure", "They do not know the day yet", &["I don't know yet", "I have to check"], &[])
        .agent("What day would you like?");
    choice(
        &date,
        &[
            ("I don't know yet", Some("unsure")),
            ("I have to check with my wife", Some("unsure")),
            ("I'm not sure", Some("unsure")),
            ("Friday", None),
        ],
    );
    let phone = Scene::new()
        .missing("number", "The phone number, with its area code", Shape::Phone)
        .label_like(
            "refuses",
            "They do not want to give a phone number",
            &["I'd rather not", "no number"],
            &[],
        )
        .agent("What is the phone number, with the area code?");
    choice(
        &phone,
        &[
            ("I'd rather not", Some("refuses")),
            ("I don't want to give you my number", Some("refuses")),
            ("415 555 0100", None),
        ],
    );
    let flow =
        Scene::new().label("helped", "The question is answered").agent("We install panels. Does that help?");
    choice(
        &flow,
        &[
            ("Yes", Some("helped")),
            ("thanks, that helps", Some("helped")),
            ("got it", Some("helped")),
            ("no", None),
        ],
    );
    let over = Scene::new().label("finished", "The conversation is over").agent("Anything else?");
    choice(
        &over,
        &[
            ("bye", Some("finished")),
            ("no, that's all", Some("finished")),
            ("nothing else, thanks", Some("finished")),
            ("have a nice day", Some("finished")),
        ],
    );
}

#[test]
fn examples_of_what_does_not_count() {
    let scene = Scene::new()
        .label_like(
            "human",
            "They ask for a person",
            &["a real person", "an agent"],
            &["my person in charge is my wife", "I am a travel agent"],
        )
        .label_like("cancel", "They want to cancel the contract", &["I want out"], &["can I cancel later"])
        .agent("How can I help?");
    choice(
        &scene,
        &[
            ("an agent please", Some("human")),
            ("can I speak to someone", Some("human")),
            ("give me a human", Some("human")),
            ("I am a travel agent", None),
            ("my person in charge is my wife", None),
            ("I want out", Some("cancel")),
            ("cancel my contract", Some("cancel")),
            ("can I cancel later", None),
            ("I don't want a person", None),
            ("I don't want to cancel", None),
        ],
    );
}

#[test]
fn labels_of_any_subject_are_told_apart_by_their_words() {
    let scene = Scene::new()
        .label("delivery", "The parcel has not arrived")
        .label("refund", "They want their money back")
        .label("warranty", "The machine stopped working within two years")
        .label("upgrade", "They are interested in the larger model")
        .agent("How can I help you?");
    choice(
        &scene,
        &[
            ("my parcel never arrived", Some("delivery")),
            ("where is my package", Some("delivery")),
            ("I want my money back", Some("refund")),
            ("I'd like a refund", Some("refund")),
            ("the machine stopped working", Some("warranty")),
            ("tell me about the larger model", Some("upgrade")),
            ("what a lovely day", None),
        ],
    );
}
