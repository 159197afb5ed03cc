"""Step 2d for the electronic face: a PDF becomes one for the archive, PDF/A-3b (ISO 19005-3).

Added are the colours' meaning (an sRGB output intent), the language, and metadata that say what the file is; /Info goes, since it
would have to say the same a second time.
"""

from datetime import date
from functools import lru_cache
from io import BytesIO
from xml.sax.saxutils import escape

import pikepdf
from PIL import ImageCms

LANGUAGE = "zh-CN"
_HEADER_VERSION, _HEADER_DATE, _HEADER_ID = slice(8, 12), slice(24, 36), slice(84, 100)
_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/">
   <pdfaid:part>3</pdfaid:part>
   <pdfaid:conformance>B</pdfaid:conformance>
   <dc:format>application/pdf</dc:format>
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
   <dc:identifier>{identifier}</dc:identifier>
   <dc:date><rdf:Seq><rdf:li>{booked_on}</rdf:li></rdf:Seq></dc:date>
   <dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language>
   <xmp:CreatorTool>certspool</xmp:CreatorTool>
   <pdf:Producer>certspool</pdf:Producer>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


def archived(pdf: pikepdf.Pdf, *, title: str, identifier: str, booked_on: date) -> bytes:
    """Return the document as PDF/A-3b. Its fonts are embedded and its annexes archivable already."""
    pdf.Root.OutputIntents = pikepdf.Array([_output_intent(pdf)])
    pdf.Root.Lang = pikepdf.String(LANGUAGE)
    pdf.Root.Metadata = _metadata(pdf, title, identifier, booked_on)
    pdf.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
    if "/Info" in pdf.trailer:
        del pdf.trailer["/Info"]
    out = BytesIO()
    pdf.save(out, deterministic_id=True, min_version="1.7")
    return out.getvalue()


def _output_intent(pdf: pikepdf.Pdf) -> pikepdf.Object:
    profile = pdf.make_stream(srgb_profile())
    profile.N = 3
    return pikepdf.Dictionary(
        Type=pikepdf.Name.OutputIntent,
        S=pikepdf.Name("/GTS_PDFA1"),
        OutputConditionIdentifier=pikepdf.String("sRGB"),
        Info=pikepdf.String("sRGB IEC61966-2.1"),
        DestOutputProfile=pdf.make_indirect(profile),
    )


def _metadata(pdf: pikepdf.Pdf, title: str, identifier: str, booked_on: date) -> pikepdf.Object:
    packet = _PACKET.format(
        title=escape(title), identifier=escape(identifier or title), booked_on=booked_on, language=LANGUAGE
    )
    stream = pdf.make_stream(packet.encode())
    stream.Type, stream.Subtype = pikepdf.Name.Metadata, pikepdf.Name.XML
    return pdf.make_indirect(stream)


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """Return an sRGB profile (made by LittleCMS), the same bytes every time, of the version that PDF 1.7 knows."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[_HEADER_VERSION] = b"\x04\x20\x00\x00"
    profile[_HEADER_DATE] = bytes((7, 230, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0))  # 2022-01-01
    profile[_HEADER_ID] = bytes(16)
    return bytes(profile)
