"""`make demo`: the main job from request to hand-over, in two registries and three halls, before one's eyes.

script (who asks for what, where) ─▶ stage (post, follow) ─▶ board (live table) ─▶ summary ─▶ contact_sheet
"""
