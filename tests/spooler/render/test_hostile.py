"""What a hostile PDF carries beside its drawing is not in the sealed file, in no object of it; what was to be seen is still seen."""

import re
from io import BytesIO

import pikepdf
import pytest
from PIL import ImageChops

from tests.sealing import Office

from .builders import a_content, a_pdf, an_annex, changed_pdf, raster

CANARY = b"canary-7f3a"
Name, Dict, Array = pikepdf.Name, pikepdf.Dictionary, pikepdf.Array
TRACES = re.compile(
    rb"/(JavaScript|JS|OpenAction|AA|Launch|URI|SubmitForm|GoToR|GoToE|ImportData|RichMedia\w*|3D|U3D|XFA|OCG|OCGs|OCMD|OCProperties"
    rb"|Movie|Sound|Screen|FileAttachment|Stamp|FreeText|Rendition|PieceInfo|Collection|Alternates|OPI)\b"
)


def an_action(kind: str, **more) -> pikepdf.Object:
    return Dict(S=Name("/" + kind), **more)


def annotated(pdf, kind: str, **more):
    note = Dict(Type=Name.Annot, Subtype=Name("/" + kind), Rect=Array([0, 0, 300, 300]), **more)
    pdf.pages[0].obj.Annots = Array([pdf.make_indirect(note)])


def appearance(pdf) -> pikepdf.Object:
    """A black sheet with the canary in it, to lie over the map."""
    form = pdf.make_stream(b"% " + CANARY + b"\n0 0 300 300 re f")
    form.Type, form.Subtype, form.BBox = Name.XObject, Name.Form, Array([0, 0, 300, 300])
    return Dict(N=form)


def file_of(pdf) -> pikepdf.Object:
    return Dict(Type=Name.Filespec, F="run.exe", EF=Dict(F=pdf.make_stream(b"MZ" + CANARY)))


def a_layer(pdf, content: bytes) -> pikepdf.Object:
    group = pdf.make_indirect(Dict(Type=Name.OCG, Name=CANARY.decode()))
    pdf.Root.OCProperties = Dict(OCGs=Array([group]), D=Dict(ON=Array([group])))
    pdf.pages[0].obj.Resources.Properties = Dict(L=group)
    pdf.pages[0].contents_add(b"/OC /L BDC " + content + b" EMC")
    return group


def script(pdf):
    pdf.Root.OpenAction = an_action("JavaScript", JS=CANARY.decode())
    pdf.Root.Names = Dict(JavaScript=Dict(Names=Array(["x", an_action("JavaScript", JS=CANARY.decode())])))


def page_actions(pdf):
    pdf.pages[0].obj.AA = Dict(O=an_action("JavaScript", JS=CANARY.decode()), C=an_action("Launch", F=CANARY.decode()))


def attachments(pdf):
    pdf.attachments["run.exe"] = b"MZ" + CANARY
    pdf.Root.AF = Array([file_of(pdf)])


def a_form_to_fill(pdf):
    annotated(pdf, "Widget", FT=Name.Tx, T="name", V=CANARY.decode(), AP=appearance(pdf))
    pdf.Root.AcroForm = Dict(Fields=pdf.pages[0].obj.Annots, XFA=pdf.make_stream(b"<xdp>" + CANARY + b"</xdp>"))


def nested_everything(pdf):
    """Inside a form that is drawn, where a page's own keys are not looked for."""
    form = pdf.make_stream(b"0 0 1 1 re f")
    form.Type, form.Subtype, form.BBox = Name.XObject, Name.Form, Array([0, 0, 1, 1])
    form.AA, form.AF = Dict(O=an_action("URI", URI=CANARY.decode())), Array([file_of(pdf)])
    form.PieceInfo, form.Metadata = Dict(X=CANARY.decode()), pdf.make_stream(CANARY)
    form.Annots, form.OC = Array([]), Dict(Type=Name.OCG, Name=CANARY.decode())
    form.A = an_action("Launch", F=CANARY.decode())
    pdf.pages[0].add_resource(form, Name.XObject, Name.Deep)
    pdf.pages[0].contents_add(b"/Deep Do")


STRIPPED = {
    "JavaScript and OpenAction": script,
    "AA and Launch of a page": page_actions,
    "URI": lambda pdf: annotated(pdf, "Link", A=an_action("URI", URI=CANARY.decode())),
    "Launch": lambda pdf: annotated(pdf, "Link", A=an_action("Launch", F=CANARY.decode())),
    "SubmitForm": lambda pdf: annotated(pdf, "Link", A=an_action("SubmitForm", F=CANARY.decode())),
    "embedded files": attachments,
    "AcroForm and XFA": a_form_to_fill,
    "RichMedia": lambda pdf: annotated(
        pdf, "RichMedia", RichMediaContent=Dict(Assets=file_of(pdf)), AP=appearance(pdf)
    ),
    "3D": lambda pdf: annotated(pdf, "3D", **{"3DD": pdf.make_stream(CANARY)}, AP=appearance(pdf)),
    "file attachment": lambda pdf: annotated(pdf, "FileAttachment", FS=file_of(pdf), AP=appearance(pdf)),
    "a stamp over the map": lambda pdf: annotated(pdf, "Stamp", Contents=CANARY.decode(), AP=appearance(pdf)),
    "a hidden stamp": lambda pdf: annotated(pdf, "Stamp", F=2, Contents=CANARY.decode(), AP=appearance(pdf)),
    "everything, in a form": nested_everything,
}


def every_byte(pdf: bytes) -> bytes:
    """Return all objects of a file, streams unpacked where anything can unpack them."""
    found = []
    with pikepdf.open(BytesIO(pdf)) as document:
        for value in document.objects:
            found.append(value.unparse(resolved=True))
            if isinstance(value, pikepdf.Stream):
                found.append(_unpacked(value))
    return b"\n".join(found)


def _unpacked(stream: pikepdf.Stream) -> bytes:
    try:
        return stream.read_bytes(pikepdf.StreamDecodeLevel.specialized)
    except pikepdf.PdfError:
        return stream.read_raw_bytes()


@pytest.mark.attack_row("S13")
@pytest.mark.parametrize("trick", STRIPPED.values(), ids=STRIPPED.keys())
def test_nothing_hostile_is_in_the_sealed_file(renderer, tmp_path, trick):
    """Looked for in every object of it, unpacked: its own seal and ticket aside there is no more than in an innocent one's."""
    hostile = changed_pdf(a_pdf(), trick)
    assert CANARY in every_byte(hostile)

    sealed, innocent = sealed_with(renderer, tmp_path / "a", hostile), sealed_with(renderer, tmp_path / "b", a_pdf())

    assert CANARY not in every_byte(sealed)
    assert found_in(sealed) == found_in(innocent)


def sealed_with(renderer, directory, annex: bytes) -> bytes:
    rendered = renderer.print_document(a_content("certificate", an_annex(annex)))
    return Office.create(directory).order(pdf=rendered.pdf, passes=rendered.passes).document


def found_in(pdf: bytes) -> set[bytes]:
    return set(TRACES.findall(every_byte(pdf)))


def seen(annex: bytes, renderer):
    printed = renderer.print_document(a_content("certificate", an_annex(annex))).pdf
    return raster(printed, 3, 60, colour=True)


@pytest.mark.attack_row("S14")
@pytest.mark.parametrize("trick", STRIPPED.values(), ids=STRIPPED.keys())
def test_what_is_seen_is_the_map_and_nothing_over_it(renderer, trick):
    """Dot by dot what the same map without its trick prints."""
    assert_same(seen(changed_pdf(a_pdf(), trick), renderer), seen(a_pdf(), renderer), but=trick is nested_everything)


@pytest.mark.attack_row("S14")
def test_a_layer_that_is_shown_stays_and_can_be_hidden_no_more(renderer):
    """What its author sees is printed as drawing; that it was a layer nobody can tell."""
    plain = changed_pdf(a_pdf(), lambda pdf: pdf.pages[0].contents_add(b"1 0 0 rg 100 100 200 200 re f"))
    layered = changed_pdf(a_pdf(), lambda pdf: a_layer(pdf, b"1 0 0 rg 100 100 200 200 re f"))

    assert_same(seen(layered, renderer), seen(plain, renderer))
    assert CANARY not in every_byte(renderer.print_document(a_content("certificate", an_annex(layered))).pdf)


@pytest.mark.attack_row("S14")
def test_a_layer_that_is_switched_off_is_refused(refusal):
    def hide(pdf):
        group = a_layer(pdf, b"0 0 500 500 re f")
        pdf.Root.OCProperties.D = Dict(OFF=Array([group]))

    assert refusal(a_content("certificate", an_annex(changed_pdf(a_pdf(), hide)))) == [
        ("annexes.0", "annex-hidden-layers")
    ]


def assert_same(one, other, *, but: bool = False) -> None:
    difference = ImageChops.difference(one, other).getbbox()
    assert difference is None or (but and (difference[2] - difference[0]) <= 3)


def outside_image(pdf):
    image = pdf.make_stream(b"")
    image.Type, image.Subtype, image.F = Name.XObject, Name.Image, "/etc/passwd"
    pdf.pages[0].add_resource(image, Name.XObject)


def outside_content(pdf):
    stream = pdf.make_stream(b"")
    stream.F = Dict(Type=Name.Filespec, F="/etc/passwd")
    pdf.pages[0].obj.Contents = stream


@pytest.mark.attack_row("S13")
@pytest.mark.parametrize(
    ("trick", "code"),
    [(outside_image, "annex-active"), (outside_content, "annex-unreadable")],
    ids=["image", "content"],
)
def test_data_in_another_file_is_refused(refusal, trick, code):
    assert refusal(a_content("certificate", an_annex(changed_pdf(a_pdf(), trick)))) == [("annexes.0", code)]
