using System.Collections;
using System.Management.Automation;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>
/// Takes upload results for what they are after they were read back from a file (Import-Clixml, Import-Csv, ConvertFrom-Json) or came from
/// a job: then they are objects with a result's properties.
/// </summary>
/// <remarks>
/// The binder transforms before it looks whether a type fits, and that before it looks for properties whose names are those of parameters.
/// A conversion of types would come last: by then a result has been taken for a path, because it has one.
/// </remarks>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class UploadResultsAttribute : ArgumentTransformationAttribute
{
    private static readonly string[] Marks =
    [
        nameof(UploadResult.RemoteName),
        nameof(UploadResult.Status),
        nameof(UploadResult.Path),
        nameof(UploadResult.Shortcode),
    ];

    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        object? input = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        return input is IList several ? several.Cast<object?>().Select(Rebuild).ToArray() : Rebuild(inputData);
    }

    /// <summary>What an object is: the result that it was before it was written to a file and read, or itself.</summary>
    /// <exception cref="ArgumentTransformationMetadataException">It was read from a file, and is not a result.</exception>
    internal static object Restore(PSObject input) => Rebuild(input) is { } restored and not PSObject ? restored : input.BaseObject;

    /// <summary>The result that an object was; the object itself, where it was none.</summary>
    private static object? Rebuild(object? input)
    {
        if (input is not PSObject read || read.BaseObject is not PSCustomObject)
            return input;
        if (Array.Exists(Marks, name => read.Properties[name] is null))
            throw NotAResult();
        return new UploadResult
        {
            Path = RequiredTextOf(read, nameof(UploadResult.Path)),
            RemoteName = RequiredTextOf(read, nameof(UploadResult.RemoteName)),
            FileName = NameOf(read, nameof(UploadResult.FileName)),
            Shortcode = NameOf(read, nameof(UploadResult.Shortcode))?.ToUpperInvariant(),
            Hierarchy = NameOf(read, nameof(UploadResult.Hierarchy)),
            Length = LanguagePrimitives.TryConvertTo(TextOf(read, nameof(UploadResult.Length)), out long length) ? length : 0,
            Sha256 = TextOf(read, nameof(UploadResult.Sha256)),
            Status = StatusOf(read),
            Reason = Enum.TryParse(TextOf(read, nameof(UploadResult.Reason)), ignoreCase: true, out SkipReason reason) ? reason : null,
            Derivative = TextOf(read, nameof(UploadResult.Derivative)),
            Connection = NameOf(read, nameof(UploadResult.Connection)),
            Server = TextOf(read, nameof(UploadResult.Server)),
        };
    }

    /// <summary>
    /// PowerShell would make a result without a name out of any object that has one of its properties. The binder takes this error for a
    /// type that does not fit, and looks for properties that are named like parameters.
    /// </summary>
    private static ArgumentTransformationMetadataException NotAResult()
    {
        const string Message = "This is not a result of Send-IngestFile. Give results as they were written.";
        return new ArgumentTransformationMetadataException(Message, new PSInvalidCastException(Message));
    }

    /// <summary>A CSV has nothing where there was null.</summary>
    private static string? TextOf(PSObject read, string property) =>
        read.Properties[property]?.Value?.ToString() is { Length: > 0 } text ? text : null;

    private static string RequiredTextOf(PSObject read, string property) => NameOf(read, property) ?? throw Unusable(read, property);

    /// <summary>A name that became a number was another text, and may name another project or file.</summary>
    private static string? NameOf(PSObject read, string property) =>
        NameTextAttribute.WhyRefused(read.Properties[property]?.Value) is { } why
            ? throw new ArgumentTransformationMetadataException($"The {property} of a result cannot be used: {why}")
            : TextOf(read, property);

    /// <summary>CSV has the word, JSON the number, and Clixml a number that says the word.</summary>
    private static UploadStatus StatusOf(PSObject read) =>
        Enum.TryParse(TextOf(read, nameof(UploadResult.Status)), ignoreCase: true, out UploadStatus status) && Enum.IsDefined(status)
            ? status
            : throw Unusable(read, nameof(UploadResult.Status));

    private static ArgumentTransformationMetadataException Unusable(PSObject read, string property) =>
        new(
            $"This looks like a result of Send-IngestFile, and its {property} is '{TextOf(read, property)}'. Give results as they "
                + $"were written, or objects without this property."
        );
}
