"""Who takes what: each student a subject of their grade, and each subject once."""

from project.management.fields import between, maybe, pairs
from project.management.seeding import Seeder
from project.models.enrollment import Enrollment
from project.models.student import Student
from project.models.subject import Subject


class EnrollmentSeeder(Seeder):
    model = Enrollment
    count = 300

    student_id, subject_id = pairs(
        Student, Subject, where=Student.grade.between(Subject.lowest_grade, Subject.highest_grade)
    )
    mark = maybe(between(35, 100), share=0.3)
