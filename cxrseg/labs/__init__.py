"""What the labs share: answers that check themselves, a quiz, and pictures side by side.

One module for each lab of ``notebooks/labs/`` holds the problems of its exercises. A problem is a function of the
student's answer. It returns an empty text if the answer is right, or else one sentence that helps to find out why not.
"""

from cxrseg.labs.feedback import check, quiz
from cxrseg.labs.pictures import pictures

__all__ = ["check", "pictures", "quiz"]
